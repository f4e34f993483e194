import FactoryCore
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands

/// Runs of make, in a folder of their own.
private struct Place: Sendable {
    let folder: FilePath

    static func with(_ body: (Place) async throws -> Void) async throws {
        try await Scratch.with { try await body(Place(folder: $0.path)) }
    }

    /// - Parameter programs: a folder that comes first among those of programs.
    func make(_ arguments: [String], programs: FilePath? = nil) async throws -> CommandResult {
        let path = [programs?.string, Command.searchPath].compactMap { $0 }.joined(separator: ":")
        return try await CommandRunner().run(
            Command(
                "make", ["--no-print-directory"] + arguments,
                environment: [
                    "PATH": path, "HOME": folder.string, "XDG_CACHE_HOME": folder.appending("cache").string,
                ], timeout: .seconds(120)))
    }

    /// A program that writes its name and arguments down.
    func record(_ name: String, in programs: FilePath) throws {
        let path = programs.appending(name)
        try Scratch.write(
            "#!/bin/sh\necho \"\(name):\" \"$@\" >> '\(folder.appending("calls"))'\n", path)
    }

    func tool(_ arguments: [String]) async throws -> CommandResult {
        try await CommandRunner().run(Command(arguments[0], Array(arguments.dropFirst())))
    }
}

@Suite struct MakeInstallTests {
    @Test func `All names, pages, completions and examples are installed below DESTDIR`() async throws {
        try await Place.with { place in
            let program = place.folder.appending("program")
            try Scratch.write("#!/bin/sh\necho \"$1 of $2\"\n", program)
            #expect(try await place.tool(["chmod", "755", program.string]).succeeded)
            let root = place.folder.appending("root")
            for _ in 0..<2 {
                let result = try await place.make([
                    "-C", RepositoryFiles.root.string, "install", "program=\(program)", "DESTDIR=\(root)",
                    "PREFIX=/opt",
                ])
                #expect(result.succeeded, "\(result.lastLines)")
            }
            #expect(Scratch.names(root) == ["opt"])
            func names(_ path: String) -> [String] { Scratch.names(root.appending("opt").pushing(FilePath(path))) }
            let links = ForeignCommands.all.map { $0.name } + [SudoHelper.name]
            #expect(names("bin") == (links + ["image-factory"]).sorted())
            for link in links {
                let target = try await place.tool(["readlink", root.appending("opt/bin").appending(link).string])
                #expect(target.text == "image-factory")
            }
            let pages = Scratch.names(RepositoryFiles.root.appending("man"))
            for section in ["1", "5"] {
                #expect(names("share/man/man" + section) == pages.filter { $0.hasSuffix("." + section) })
            }
            #expect(names("share/man/man1").contains("configure-vm-image.1"))
            for (path, shell) in [
                ("share/bash-completion/completions/image-factory", "bash"),
                ("share/zsh/site-functions/_image-factory", "zsh"),
                ("share/fish/vendor_completions.d/image-factory.fish", "fish"),
            ] {
                #expect(
                    try Scratch.read(root.appending("opt").pushing(FilePath(path)))
                        == "--generate-completion-script of \(shell)\n")
            }
            #expect(
                names("share/image-factory/cloud-image")
                    == ["Makefile", "README.md", "architecture.yml", "cloud-init", "cloud-init-config"])
            #expect(names("share/image-factory/cloud-image/cloud-init-config").contains("user-data"))
        }
    }

    @Test func `Without a program nothing is installed`() async throws {
        try await Place.with { place in
            let result = try await place.make([
                "-C", RepositoryFiles.root.string, "install", "program=\(place.folder)/none",
                "DESTDIR=\(place.folder.appending("root"))",
            ])
            #expect(!result.succeeded)
            #expect(result.lastLines.contains { $0.hasPrefix("install: error: there is no ") })
            #expect(Scratch.names(place.folder) == [])
        }
    }
}

@Suite struct CloudImageMakefileTests {
    private static let source = RepositoryFiles.root.appending("contrib/cloud-image")

    /// A copy of the folder, with programs that only write down how they were called.
    private func withCopy(_ body: (Place, _ copy: FilePath, _ programs: FilePath) async throws -> Void) async throws {
        try await Place.with { place in
            let (copy, programs) = (place.folder.appending("copy"), place.folder.appending("bin"))
            #expect(try await place.tool(["cp", "-RP", Self.source.string, copy.string]).succeeded)
            #expect(try await place.tool(["mkdir", programs.string]).succeeded)
            for name in ["gen-vm-image", "configure-vm-image", "image-factory"] {
                try place.record(name, in: programs)
                #expect(try await place.tool(["chmod", "755", programs.appending(name).string]).succeeded)
            }
            try await body(place, copy, programs)
        }
    }

    @Test(arguments: [
        (["build"], ["gen-vm-image:"]), (["configure"], ["configure-vm-image:"]),
        ([], ["image-factory: doctor", "gen-vm-image:", "configure-vm-image:"]),
        (
            ["BUILD_ARGS=multiple architecture.yml", "CONFIGURE_ARGS=-v i.qcow2"],
            ["image-factory: doctor", "gen-vm-image: multiple architecture.yml", "configure-vm-image: -v i.qcow2"]
        ),
        (["build", "BUILD_ARGS=single a 1G"], ["gen-vm-image: single a 1G"]),
        (["configure", "CONFIGURE_ARGS=a.qcow2"], ["configure-vm-image: a.qcow2"]), (["venv"], []), (["install"], []),
        (["install-dep"], ["image-factory: doctor"]), (["dockercheck-build", "dockercheck-clean"], []),
        (["dockercheck-run"], ["image-factory: doctor"]),
    ])
    func `Targets call the programs with the arguments that they were given`(line: [String], calls: [String])
        async throws
    {
        try await withCopy { place, copy, programs in
            let result = try await place.make(["-C", copy.string] + line, programs: programs)
            #expect(result.succeeded, "\(result.lastLines)")
            let said = (try? Scratch.read(place.folder.appending("calls"))) ?? ""
            #expect(said.split(separator: "\n").map { $0.hasSuffix(" ") ? $0.dropLast() : $0 } == calls.map { $0[...] })
        }
    }

    @Test func `A step that fails ends the whole`() async throws {
        try await withCopy { place, copy, programs in
            try Scratch.write("#!/bin/sh\nexit 3\n", programs.appending("gen-vm-image"))
            #expect(try await !place.make(["-C", copy.string], programs: programs).succeeded)
            #expect(try Scratch.read(place.folder.appending("calls")) == "image-factory: doctor\n")
        }
    }

    @Test func `What was made is removed, links too, and what others made is not`() async throws {
        try await withCopy { place, copy, programs in
            let before = Scratch.names(copy)
            for path in ["generated-images", "image-config", "tmp"] {
                #expect(try await place.tool(["mkdir", copy.appending(path).string]).succeeded)
            }
            #expect(try await place.make(["-C", copy.string, "dist"], programs: programs).succeeded)
            let list = try await place.tool(["tar", "-tzf", copy.appending("dist/cloud-image.tar.gz").string])
            #expect(list.text.contains("cloud-init/user-data"))
            #expect(try await place.make(["-C", copy.string, "clean"], programs: programs).succeeded)
            #expect(Scratch.names(copy) == (before + ["dist"]).sorted())
            #expect(try await place.make(["-C", copy.string, "maintainer-clean"], programs: programs).succeeded)
            #expect(Scratch.names(copy) == before)
            let links = place.folder.appending("own/bin")
            #expect(try await place.tool(["mkdir", "-p", links.string]).succeeded)
            #expect(try await place.tool(["ln", "-s", "x", links.appending("gen-vm-image").string]).succeeded)
            try Scratch.write("mine", links.appending("configure-vm-image"))
            #expect(
                try await place.make(
                    ["-C", copy.string, "uninstall", "PREFIX=\(place.folder.appending("own"))"], programs: programs
                ).succeeded)
            #expect(Scratch.names(links) == ["configure-vm-image"])
        }
    }

    @Test func `The real programs are linked, and build an image of a small disk`() async throws {
        try await withCopy { place, copy, programs in
            for name in ["gen-vm-image", "configure-vm-image", "image-factory"] {
                #expect(try await place.tool(["rm", programs.appending(name).string]).succeeded)
            }
            let program = builtExecutable()
            #expect(
                try await place.tool(["ln", "-s", program.string, programs.appending("image-factory").string]).succeeded
            )
            let disk = place.folder.appending("disk.raw")
            #expect(try await place.tool(["truncate", "-s", "1M", disk.string]).succeeded)
            let digest = try await place.tool(["sha256sum", disk.string]).text.prefix(64)
            try Scratch.write(
                "owner: me\nimages:\n  a: {name: a, version: 1, size: 2M, get_url: \(disk), "
                    + "checksum: {type: sha256, value: \(digest)}}\n", copy.appending("architecture.yml"))
            let own = "PREFIX=\(place.folder.appending("own"))"
            let result = try await place.make(["-C", copy.string, "install", "build", own], programs: programs)
            #expect(result.succeeded, "\(result.lastLines)")
            #expect(Scratch.names(copy.appending("generated-images")) == ["image.qcow2"])
            let configured = try await place.make(
                ["-C", copy.string, "configure", own, "CONFIGURE_ARGS=none.qcow2"], programs: programs)
            #expect(
                configured.lastLines.contains {
                    $0.contains("Path not found: none.qcow2 - error: could not find the image to configure")
                }, "\(configured.lastLines)")
        }
    }

    @Test func `The example is one that both command lines of gen-vm-image read`() throws {
        let path = Self.source.appending("architecture.yml")
        for generation in [LoadedArchitecture.Generation.seed, .current] {
            let architecture = try LoadedArchitecture(path, for: generation, folder: "/")
            #expect(architecture.images.map(\.fileName) == ["debian-13.qcow2"])
            #expect(architecture.warnings.isEmpty)
        }
    }
}

/// Tests that need more than a checkout only run when they are asked for.
@Suite struct EndToEndTargetTests {
    /// A suite, by its module, and what must be in the environment.
    private struct Wanted: Hashable {
        var name: String
        var variable: String
    }

    private static func wanted() async throws -> Set<Wanted> {
        let tests = RepositoryFiles.root.appending("Tests")
        let files = try await CommandRunner().run(
            Command(
                "grep", ["-rlE", "--include=*Tests.swift", "getenv\\(\"IMAGE_FACTORY_(E2E|LIBVIRT)\"\\)", tests.string])
        )
        var found: Set<Wanted> = []
        for file in files.text.split(separator: "\n") {
            let path = FilePath(String(file))
            let module = String(path.string.dropFirst(tests.string.utf8.count + 1).prefix { $0 != "/" })
            let text = try Scratch.read(path)
            for use in text.matches(of: /getenv\("(IMAGE_FACTORY_(?:E2E|LIBVIRT))"\)/) {
                // That of a whole suite stands in front of it.
                let attribute = text[..<use.range.lowerBound].split(separator: "@").last ?? ""
                let isOfSuite = attribute.hasPrefix("Suite") && !attribute.contains("struct ")
                let suites = (isOfSuite ? text[use.range.upperBound...] : text[..<use.range.lowerBound])
                    .matches(of: /struct (\w+Tests)/)
                let suite = try #require(isOfSuite ? suites.first : suites.last, "\(path)")
                found.insert(Wanted(name: "\(module).\(suite.1)", variable: String(use.1)))
            }
        }
        return found
    }

    @Test func `Each suite that waits to be asked for is asked for by a target`() async throws {
        let makefile = try Scratch.read(RepositoryFiles.root.appending("Makefile")).replacing("\\\n", with: " ")
        let lines = makefile.split(separator: "\n").filter { $0.contains("--filter") }
        let wanted = try await Self.wanted()
        #expect(wanted.count > 5)
        for suite in wanted {
            let isAskedFor = lines.contains { line in
                guard line.contains(suite.variable + "=1"), let filter = line.split(separator: "--filter ").last else {
                    return false
                }
                return filter.split { "\"| \t".contains($0) }.contains { suite.name.contains($0) }
            }
            #expect(isAskedFor, "\(suite.name) needs \(suite.variable)")
        }
    }
}
