import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Steps

/// A tree whose links all lead out of it, beside a folder that must stay as it is.
private struct HostileTree {
    let root: TreeRoot
    let path: FilePath
    let outside: FilePath

    static func with(_ body: (HostileTree) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("tree")
            let outside = scratch.path.appending("outside")
            for folder in [path, outside, path.appending("usr")] { mkdir(folder.string, 0o755) }
            try Scratch.write("secret", outside.appending("shadow"))
            symlink(outside.string, path.appending("etc").string)
            symlink("../../../../../../../.." + outside.string, path.appending("usr").appending("share").string)
            symlink("../outside", path.appending("var").string)
            symlink("../outside/shadow", path.appending("file").string)
            symlink("/nowhere/file", path.appending("dangling").string)
            symlink("loop", path.appending("loop").string)
            try await body(HostileTree(root: try TreeRoot(path), path: path, outside: outside))
            #expect(Scratch.names(outside) == ["shadow"])
            #expect(try Scratch.read(outside.appending("shadow")) == "secret")
        }
    }
}

@Suite struct TreeRootTests {
    @Test(arguments: ["/etc/motd", "/usr/share/motd", "/var/a/b/motd", "/etc/../etc/motd", "/../../motd"])
    func `What is written stays inside`(file: String) async throws {
        try await HostileTree.with { tree in
            do {
                try tree.root.write("hello", to: file)
                #expect(try tree.root.text(file) == "hello")
            } catch let error as FactoryError {
                // Refused is as good as inside.
                #expect(error.message.contains("in the image"))
            }
        }
    }

    /// The kernel answers EAGAIN for `..` whenever a rename anywhere on the machine came between.
    @Test func `Links upwards are followed while others rename`() async throws {
        try await HostileTree.with { tree in
            try tree.root.write("hello", to: "/usr/lib/os-release")
            try tree.root.link("/usr/bin/up", to: "../lib/os-release")
            let (one, other) = (tree.path.appending("one").string, tree.path.appending("other").string)
            try Scratch.write("", FilePath(one))
            let renaming = Task.detached {
                while !Task.isCancelled {
                    rename(one, other)
                    rename(other, one)
                }
            }
            defer { renaming.cancel() }
            for _ in 0..<20_000 { _ = try #require(try tree.root.status("/usr/bin/up")) }
        }
    }

    @Test func `A folder that a link names is made inside the tree`() async throws {
        try await HostileTree.with { tree in
            try tree.root.makeFolder(tree.outside.string)
            try tree.root.write("hello", to: "/etc/motd")
            #expect(try tree.root.text("/etc/motd") == "hello")
            #expect(try Scratch.read(FilePath(tree.path.string + tree.outside.string).appending("motd")) == "hello")
        }
    }

    @Test(arguments: ["/etc/shadow", "/usr/share/shadow", "/var/shadow", "/file", "/../outside/shadow"])
    func `What is outside cannot be read`(file: String) async throws {
        try await HostileTree.with { tree in
            let bytes = try tree.root.read(file)
            let isThere = try tree.root.exists(file)
            #expect(bytes == nil && !isThere)
        }
    }

    @Test(arguments: ["/etc", "/var", "/usr/share", "/file", "/etc/shadow", "/usr/share/shadow", "/loop/x"])
    func `What is removed is inside`(file: String) async throws {
        try await HostileTree.with { tree in
            try? tree.root.remove(file)
            try? tree.root.empty(file)
        }
    }

    @Test func `A link in the place of a file is replaced, not followed`() async throws {
        try await HostileTree.with { tree in
            try tree.root.write("mine", to: "/file", mode: 0o4755)
            let facts = try #require(try tree.root.status("/file"))
            #expect(facts.st_mode & S_IFMT == S_IFREG)
            #expect(facts.st_mode & 0o7777 == 0o4755)
            try tree.root.rewrite("again", "/dangling")
            #expect(try tree.root.text("/dangling") == "again")
        }
    }

    @Test func `Links are made as they are said`() async throws {
        try await HostileTree.with { tree in
            try tree.root.link("/usr/a", to: "../../x")
            try tree.root.link("/usr/a", to: "/y")
            var buffer = [CChar](repeating: 0, count: 64)
            #expect(readlink(tree.path.appending("usr/a").string, &buffer, 63) == 2)
        }
    }

    @Test func `A folder is emptied with everything below it`() async throws {
        try await HostileTree.with { tree in
            try tree.root.write("x", to: "/usr/a/b/c")
            symlink("/usr", tree.path.appending("usr/a/link").string)
            symlink(tree.outside.string, tree.path.appending("usr/a/b/out").string)
            try tree.root.empty("/usr/a")
            #expect(try tree.root.names("/usr/a").isEmpty)
            #expect(try tree.root.names("/usr") == ["a", "share"])
        }
    }

    @Test func `What is rewritten keeps its mode and a new file gets the usual one`() async throws {
        try await HostileTree.with { tree in
            try tree.root.write("a", to: "/usr/a", mode: 0o640)
            try tree.root.rewrite("b", "/usr/a")
            try tree.root.rewrite("b", "/usr/new")
            #expect(try tree.root.status("/usr/a").map { $0.st_mode & 0o7777 } == 0o640)
            #expect(try tree.root.status("/usr/new").map { $0.st_mode & 0o7777 } == 0o644)
        }
    }
}

@Suite struct AccountFilesTests {
    private func withTree(_ body: (TreeRoot) throws -> Void) async throws {
        try await Scratch.with { scratch in
            let tree = try TreeRoot(scratch.path)
            try tree.write("root:*:1:0:99999:7:::\nroots:!:1\nadmin:!:1:0:99999:7:::\n", to: "/etc/shadow", mode: 0o640)
            try tree.write(
                "root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1001::/home/admin:/bin/sh\nbroken:x\n", to: "/etc/passwd"
            )
            try tree.write("root:x:0:\nadm:x:4:admin\n", to: "/etc/group")
            try body(tree)
        }
    }

    @Test func `A password is set for its user alone`() async throws {
        try await withTree { tree in
            try AccountFiles.setPassword("$6$a$b", of: "root", in: tree)
            #expect(
                try tree.text("/etc/shadow") == "root:$6$a$b:1:0:99999:7:::\nroots:!:1\nadmin:!:1:0:99999:7:::\n")
            #expect(try tree.status("/etc/shadow").map { $0.st_mode & 0o7777 } == 0o640)
        }
    }

    @Test func `Users and groups are known by name and number`() async throws {
        try await withTree { tree in
            let accounts = try AccountFiles(tree)
            #expect(try accounts.user("admin") == 1000)
            #expect(try accounts.user("4711") == 4711)
            #expect(try accounts.group("adm") == 4)
            #expect(accounts.account("admin")?.home == "/home/admin")
            let error = #expect(throws: FactoryError.self) { try accounts.user("broken") }
            #expect(error?.message == "the image has no user 'broken'")
            #expect(throws: FactoryError.self) { try accounts.group("nobody-has-it") }
        }
    }
}
