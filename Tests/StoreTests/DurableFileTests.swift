import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct DurableFileTests {
    @Test func `A file is written, and replaces the one of its name`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("a")
            try DurableFile.write([1, 2], to: path)
            try DurableFile.write([3], to: path)
            #expect(try DurableFile.read(path) == [3])
            #expect(Scratch.names(scratch.path) == ["a"])
        }
    }

    @Test func `A missing folder is told, and nothing is left`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("none").appending("a")
            let error = #expect(throws: FactoryError.self) { try DurableFile.write([1], to: path) }
            #expect(error?.message == "cannot write \(path): No such file or directory")
            #expect(Scratch.names(scratch.path).isEmpty)
        }
    }

    @Test func `A write that fails at its last step leaves nothing`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("a")
            mkdir(path.string, 0o755)
            let error = #expect(throws: FactoryError.self) { try DurableFile.write([1], to: path) }
            #expect(error?.message == "cannot write \(path): Is a directory")
            #expect(Scratch.names(scratch.path) == ["a"])
        }
    }

    @Test(arguments: [Errno.noSpace, .ioError, .tooManyOpenFiles, .readOnlyFileSystem, .diskQuotaExceeded])
    func `Whichever call fails, the old file stays, nothing is left and the remedy is told`(number: Errno) async throws
    {
        var failing: [DurableFile.Calls] = [.init(), .init(), .init(), .init()]
        failing[0].write = { _, _ in throw number }
        // Half of it is written before the disk is full.
        failing[1].write = { file, bytes in
            _ = try file.writeAll(bytes.prefix(bytes.count / 2))
            throw number
        }
        failing[2].sync = { _ in throw number }
        failing[3].rename = { _, _ in throw number }
        try await Scratch.with { scratch in
            let path = scratch.path.appending("a")
            try DurableFile.write([1, 2], to: path)
            for calls in failing {
                let error = #expect(throws: FactoryError.self) {
                    try DurableFile.write([3, 4, 5, 6], to: path, calls: calls)
                }
                #expect(error?.message == "cannot write \(path): \(number)")
                #expect(error?.remedy == FileFailure.remedy(number, path))
                #expect(try DurableFile.read(path) == [1, 2])
                #expect(Scratch.names(scratch.path) == ["a"])
            }
        }
    }

    @Test func `A temporary file is removed once its writer is gone, not before`() async throws {
        try await FolderStore.with { store in
            let folder = store.root.appending("plans")
            let names = (0..<2).map { ".\($0).json.\(UniqueName.make())" }
            for name in names { try Scratch.write("half", folder.appending(name)) }
            let writer = FileLock.attempt(existing: folder.appending(names[0]), shared: false)
            await store.reap()
            #expect(Scratch.names(folder) == [names[0]])
            withExtendedLifetime(writer) {}
        }
    }

    /// /sys takes no new files, not even from root.
    @Test func `A folder that takes no files is told with what to do`() {
        let error = #expect(throws: FactoryError.self) { try DurableFile.write([1], to: "/sys/a") }
        #expect(error?.message.hasPrefix("cannot write /sys/a: ") == true)
    }

    @Test(arguments: [
        (Errno.noSpace, "free some space there, or run 'image-factory prune'"),
        (Errno.permissionDenied, "give your user access to /a"),
    ])
    func `What the user can do about a failure is said`(number: Errno, remedy: String) {
        #expect(FileFailure.error(number, "write", "/a/b").remedy == remedy)
    }

    @Test func `Folders are removed with all names that files can have`() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path.appending("f")
            mkdir(folder.string, 0o755)
            mkdir(folder.appending("deep").string, 0o755)
            symlink("/etc", folder.appending("deep").appending("link").string)
            let odd: [CChar] = Array(folder.appending("x").string.utf8CString.dropLast()) + [-1, 0]
            close(open(odd, O_CREAT | O_WRONLY, 0o644))
            #expect(Folder.names(folder).count == 2)
            try Folder.remove(folder)
            #expect(Scratch.names(scratch.path).isEmpty)
            #expect(!Scratch.names("/etc").isEmpty)
        }
    }
}
