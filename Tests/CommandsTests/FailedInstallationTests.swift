import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

/// Definitions of installations that cannot succeed, built by the program as a user runs it: each ends with its own reason
/// and leaves nothing but what helps to understand it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct FailedInstallationTests {
    private static let isLong = getenv("IMAGE_FACTORY_E2E") != nil
    private static let installer = RepositoryFiles.root.appending(".build/tiny-installer")
    private static let sound = "kernel: \(installer)/kernel"

    /// A folder with a definition, its answers, a store and the place for images.
    private struct Place {
        let folder: FilePath

        static func with(_ body: (Place) async throws -> Void) async throws {
            try #require(access(installer.appending("kernel").string, R_OK) == 0, "run scripts/setup")
            try await Scratch.with { scratch in
                let place = Place(folder: scratch.path)
                try Scratch.write(
                    "# finish: image-factory: installation finished\nd-i debian-installer/locale string C\n",
                    place.path("tiny.cfg"))
                try await body(place)
            }
        }

        func path(_ name: String) -> FilePath { folder.appending(name) }

        private var environment: [String: String] {
            ["XDG_CACHE_HOME": path("cache").string, "TMPDIR": path("tmp").string, "TZ": "UTC"]
        }

        private func image(_ arguments: [String], _ more: [String: String] = [:]) async throws -> CommandResult {
            mkdir(path("tmp").string, 0o755)
            let environment = environment.merging(more) { $1 }
            // Of two streams only the last lines would be kept.
            let joined = ["-c", "exec \"$0\" \"$@\" 2>&1", builtExecutable().string] + arguments
            return try await CommandRunner(proxies: [:]).run(
                Command("sh", joined, environment: environment, timeout: .seconds(500)))
        }

        /// - Parameter medium: the key `kernel`, and what else the installation has.
        func build(_ medium: String, tiny: String? = nil) async throws -> CommandResult {
            let definition = """
                name: tiny
                version: "1"
                os: {distribution: debian, release: 13}
                base:
                  netinstall:
                    \(medium)
                    initrd: \(installer)/initrd
                    preseed: tiny.cfg
                    append: quiet mitigations=off\(tiny.map { " tiny=\($0)" } ?? "")
                    memory: 256M
                disk: {size: 64M, firmware: bios}
                outputs: [raw]
                boot_check: false

                """
            try Scratch.write(definition, path("tiny.yaml"))
            return try await image(["build", "--plain", path("tiny.yaml").string, "-o", path("out").string])
        }

        /// As a section of image-factory.conf, for which the verification of the disk only warns.
        func buildSection(tiny: String) async throws -> CommandResult {
            let text = """
                [tiny]
                linux = \(installer)/kernel
                initrd = \(installer)/initrd
                preseed = \(path("tiny.cfg"))
                append = quiet mitigations=off tiny=\(tiny)
                ram = 256M
                image-size = 64M

                """
            try Scratch.write(text, path("image-factory.conf"))
            return try await image(
                ["build", "--plain", "tiny", "-o", path("out").string],
                ["IMAGE_FACTORY_CONFIG": path("image-factory.conf").string])
        }

        /// Expects that the build ended with one error, and that nothing is left of it; returns the error without what
        /// was done then.
        func failure(_ result: CommandResult, status: Int32) async throws -> String {
            #expect(result.ending == .exited(status), "\(result.lastLines)")
            let lines = result.text.split(separator: "\n")
            let errors = lines.filter { $0.hasPrefix("error: ") }
            #expect(errors.count == 1, "\(result.text)")
            #expect(lines.count { $0.hasPrefix("hint: ") } == 1, "\(result.text)")
            #expect(Scratch.names(path("out")) == [])
            #expect(Scratch.names(path("tmp")) == [])
            let store = path("cache/image-factory")
            #expect(Scratch.names(store.appending("work")) == [])
            #expect(Scratch.names(store.appending("ledger")) == [])
            #expect(Scratch.names(store.appending("results")) == [])
            #expect(processes() == [])
            #expect(try await image(["fsck"]).succeeded)
            let error = String(errors.first?.dropFirst("error: ".count) ?? "")
            let words = error.split(separator: ": ", maxSplits: 2)
            try #require(words.count == 3 && words[0] == "Failure encountered while", "\(error)")
            return String(words[2])
        }

        /// Those that have the folder in their command line: the containments of all programs do.
        private func processes() -> [String] {
            Scratch.names("/proc").filter { name in
                guard name.allSatisfy(\.isNumber), let text = try? Scratch.read(FilePath("/proc/\(name)/cmdline"))
                else {
                    return false
                }
                return text.contains(folder.string)
            }
        }

        /// The logs of the steps that succeeded.
        var logs: [FilePath] {
            let results = path("cache/image-factory/results")
            return Scratch.names(results).flatMap { name in
                Scratch.names(results.appending(name)).map { results.appending(name).appending($0).appending("log") }
            }
        }

        /// What failed installations have left, by name.
        var evidence: [String] {
            let logs = path("cache/image-factory/logs")
            return Scratch.names(logs).filter { $0.hasPrefix("install-") }.flatMap { Scratch.names(logs.appending($0)) }
        }
    }

    // MARK: - The guest

    private static func failures(_ all: Bool) -> [(tiny: String, limit: String, reason: String)] {
        let panic = ("panic", "1h", "the installation failed: the kernel panicked: ")
        guard all else { return [panic] }
        return [
            panic, ("hang", "20s", "the installation failed: it did not end within 20.0 seconds"),
            ("early", "1h", "the installation failed: it switched itself off before it was done"),
            ("full", "1h", "the installation failed: "),
            ("question", "1h", "the installation failed: a step of the installer failed: An installation step failed."),
        ]
    }

    @Test(arguments: failures(isLong))
    func `A guest that fails is told with its reason and its screen, and nothing of it is left`(
        _ row: (tiny: String, limit: String, reason: String)
    ) async throws {
        try await Place.with { place in
            let result = try await place.build("limit: \(row.limit)\n    " + Self.sound, tiny: row.tiny)
            let error = try await place.failure(result, status: 1)
            #expect(error.hasPrefix(row.reason), "\(error)")
            let evidence = place.evidence
            for name in ["screen.png", "last-lines.txt", "serial.log"] {
                #expect(evidence.contains(name), "\(evidence)")
            }
        }
    }

    @Test(.enabled(if: isLong))
    func `A console without end fills neither the screen nor the store, and the image is made`() async throws {
        try await Place.with { place in
            let result = try await place.buildSection(tiny: "spam")
            #expect(result.ending == .exited(0), "\(result.lastLines)")
            #expect(Scratch.names(place.path("out")).contains { $0.hasPrefix("tiny-") && $0.hasSuffix(".raw") })
            #expect(result.standardOutput.count < 100_000 && !result.standardOutputIsTruncated)
            let logs = try place.logs.map { try Scratch.read($0) }
            #expect(logs.contains { $0.contains("lines are in the installer's log only]") })
            #expect(logs.allSatisfy { $0.split(separator: "\n").count < 8000 })
            #expect(place.evidence == [])
        }
    }

    // MARK: - What it starts from

    @Test(.enabled(if: isLong)) func `A mirror that is not there is told when it was tried often enough`() async throws
    {
        let port = try FaultServer.freePort()
        try await Place.with { place in
            let result = try await place.build("kernel: http://127.0.0.1:\(port)/linux")
            let error = try await place.failure(result, status: 69)
            #expect(error.hasPrefix("cannot fetch http://127.0.0.1:\(port)/linux: "), "\(error)")
            #expect(place.evidence == [])
        }
    }

    @Test(.enabled(if: isLong)) func `A kernel that always breaks off is never started`() async throws {
        let file = ServedFile(content: ServedFile.bytes(500_000))
        try await FaultServer.with { number, request, connection in
            file.serve(request, connection, cut: number == 0 ? 100_000 : 0)
        } _: { server in
            try await Place.with { place in
                let result = try await place.build("kernel: \(server.url("/linux").location)")
                let error = try await place.failure(result, status: 69)
                #expect(error.contains(server.url("/linux").location), "\(error)")
                // What is there goes on in the next build; as a whole it is not there.
                let whole = Scratch.names(place.path("cache/image-factory/sources")).filter { $0.utf8.count == 64 }
                let initrd = Digest(of: try RepositoryFiles.bytes(Self.installer.appending("initrd"))).hex
                #expect(whole.allSatisfy { $0 == initrd }, "\(whole)")
            }
        }
    }

    @Test func `A kernel with another checksum is not started`() async throws {
        let file = ServedFile(content: ServedFile.bytes(10_000))
        try await FaultServer.with { _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Place.with { place in
                let (location, wrong) = (server.url("/linux").location, String(repeating: "0", count: 64))
                let result = try await place.build("kernel: {url: '\(location)', checksum: 'sha256:\(wrong)'}")
                let error = try await place.failure(result, status: 1)
                let found = Digest(of: file.content).hex
                #expect(error == "the SHA-256 of \(location) is \(found), not \(wrong)")
                #expect(!Scratch.names(place.path("cache/image-factory/sources")).contains(found))
            }
        }
    }

    @Test func `A kernel whose list of checksums somebody else has signed is not started`() async throws {
        let file = ServedFile(content: ServedFile.bytes(10_000))
        try await FaultServer.with { _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Place.with { place in
                try Scratch.write("\(Digest(of: file.content).hex)  linux\n", place.path("SHA256SUMS"))
                try await sign(place.path("SHA256SUMS"), in: place)
                let location = server.url("/linux").location
                let result = try await place.build(
                    "kernel: {url: '\(location)', "
                        + "checksums: {file: SHA256SUMS, signature: SHA256SUMS.gpg, keyring: keys.gpg}}")
                let error = try await place.failure(result, status: 1)
                #expect(
                    error.hasPrefix(
                        "the signature of \(place.path("SHA256SUMS")) does not hold: the keyring has no key "),
                    "\(error)")
            }
        }
    }

    /// Signs the list by a key that is not in `keys.gpg`.
    private func sign(_ list: FilePath, in place: Place) async throws {
        let home = place.path("gnupg")
        mkdir(home.string, 0o700)
        func run(_ program: String, _ arguments: [String]) async throws {
            try await CommandRunner(proxies: [:]).runChecked(
                Command(program, arguments, environment: ["GNUPGHOME": home.string]), activity: "preparing a test")
        }
        let quiet = ["--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
        for name in ["right", "wrong"] {
            try await run("gpg", quiet + ["--quick-generate-key", "\(name) <\(name)@example.org>", "ed25519"])
        }
        try await run(
            "gpg", quiet + ["--local-user", "wrong", "--output", "\(list).gpg", "--detach-sign", list.string])
        try await run("gpg", quiet + ["--output", place.path("keys.gpg").string, "--export", "right"])
        try await run("gpgconf", ["--kill", "all"])
    }
}
