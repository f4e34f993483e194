import Engine
import Model
import Planning
import Steps
import Store
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// Programs that are only written down, and end as they are told to.
private final class Recorder: CommandRunning {
    private let seen = Mutex<[[String]]>([])
    private let endings: [String: CommandResult.Ending]

    init(_ endings: [String: CommandResult.Ending] = [:]) { self.endings = endings }

    var calls: [[String]] { seen.withLock { $0 } }

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        // The question whether something has to be sent is none of the calls.
        guard !command.arguments.contains("--dry-run") else { return CommandResult(ending: .exited(1)) }
        seen.withLock { $0.append([command.program] + command.arguments) }
        onLine(.output, "\(command.program) was here")
        return CommandResult(ending: endings[command.program] ?? .exited(0))
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value { throw FactoryError(.internal, "nothing runs here") }
}

/// The lines that a person and the log get of a build.
private final class Told: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    func log() -> EventLog {
        EventLog(
            clock: WallClock { 0 },
            consumers: [
                { event in
                    switch event.kind {
                    case .note(let message): self.kept.withLock { $0.append(message) }
                    case .warning(_, let message): self.kept.withLock { $0.append("warning: " + message) }
                    default: break
                    }
                }
            ])
    }
}

@Suite struct InstallationPublicationTests {
    @Test func `An installation has its manifest and provenance, and no list of packages`() async throws {
        try await FinishedBuild.withInstallation { build in
            try await build.publish()
            #expect(
                Scratch.names(build.output) == [
                    "web-2026-11-21.manifest.json", "web-2026-11-21.provenance.json", "web-2026-11-21.raw",
                    "web-2026-11-21.raw.sha256sum",
                ])
            let problems = try await build.problems()
            #expect(problems == [])
            let manifest = try Scratch.read(build.output.appending("web-2026-11-21.manifest.json"))
            #expect(manifest.contains("\"seconds\" : 7") && manifest.contains("\"freed\" : 9"))
            #expect(manifest.contains("\"isAdvisory\" : true"))
        }
    }

    @Test func `The provenance says what was installed from, and no password`() async throws {
        try await FinishedBuild.withInstallation { build in
            try await build.publish()
            let text = try Scratch.read(build.output.appending("web-2026-11-21.provenance.json"))
            #expect(text.contains("https://mirror.example.org/linux") && text.contains("\"web.cfg\""))
            #expect(!text.contains("secret") && !text.contains("/home/me"))
        }
    }

    @Test func `The raw disk stays where that is wished, and the image comes first`() async throws {
        try await FinishedBuild.withInstallation({ definition, install in
            definition.outputs = [Output(.qcow2)]
            install.keepsRaw = true
        }) { build in
            let report = try await build.publish()
            #expect(report.artifacts.map(\.file) == ["web-2026-11-21.qcow2", "web-2026-11-21.raw"])
            #expect(Scratch.names(build.output).contains("web-2026-11-21.raw"))
        }
    }

    @Test func `The installer's logs are told line by line`() async throws {
        try await FinishedBuild.withInstallation { build in
            let told = Told()
            try InstallerLogs.tell(build.results, told.log())
            #expect(told.lines == ["Content of /var/log/installer/syslog:", "it went well"])
        }
    }
}

@Suite struct DeliveryTests {
    private static let one = UploadDestination(
        name: "one", target: "me@one:/srv", arguments: ["-a", "--inplace"], commands: [["ssh", "one"], ["ls"]])
    private static let two = UploadDestination(name: "two", target: "two:")

    /// What ran, what was told, and how it ended.
    private func deliver(
        _ endings: [String: CommandResult.Ending] = [:], output: FilePath = ".", uploads: [UploadDestination] = [],
        postBuild: String? = nil
    ) async throws -> (calls: [[String]], told: [String], error: FactoryError?) {
        var install = Netinstall(medium: .image(Source(.file, "/i")), answers: [], memory: .gibi(1))
        install.postBuildCommand = postBuild
        let definition = ImageDefinition(
            name: "web", version: "1", os: OperatingSystem(distribution: "linux", release: ""),
            base: .netinstall(install), uploads: uploads)
        let runner = Recorder(endings)
        let request = BuildRequest(definition: .image("web", []), output: output)
        let told = Told()
        let report = BuildReport(
            name: "web-1", folder: output,
            artifacts: [
                Artifact(
                    file: "web-1.raw", format: .raw, size: ByteCount(1), allocated: ByteCount(1), digest: Digest(of: [])
                )
            ], steps: [], seconds: 0, manifest: "m")
        do {
            try await Delivery(definition, request, runner: runner, environment: [:])
                .deliver(report, told.log())
            return (runner.calls, told.lines, nil)
        } catch let error as FactoryError {
            return (runner.calls, told.lines, error)
        }
    }

    @Test func `Each destination gets image and checksum, then its commands run, and at last the user's own`()
        async throws
    {
        let (calls, told, error) = try await deliver(uploads: [Self.one, Self.two], postBuild: "/opt/announce")
        #expect(error == nil)
        #expect(
            calls.map { $0.joined(separator: " ") } == [
                "rsync -a --inplace web-1.raw web-1.raw.sha256sum me@one:/srv", "ssh one", "ls",
                "rsync web-1.raw web-1.raw.sha256sum two:", "/opt/announce web-1.raw",
            ])
        #expect(told.first == "Successfully created web-1.raw")
        #expect(told.filter { $0.hasPrefix("Successfully uploaded") }.count == 2)
    }

    @Test(arguments: [
        (["rsync": CommandResult.Ending.exited(23)], Int32(23), 1), (["ssh": .exited(4)], 4, 2),
        (["ls": .signalled(9)], 247, 3), (["/opt/announce": .exited(7)], 7, 5),
    ])
    func `What fails gives its exit status, and nothing runs after it`(
        endings: [String: CommandResult.Ending], status: Int32, count: Int
    ) async throws {
        let (calls, _, error) = try await deliver(
            endings, uploads: [Self.one, Self.two], postBuild: "/opt/announce")
        #expect(error?.status == status)
        #expect(error?.message.contains("failed with exit code \(status)") == (status != 247))
        #expect(calls.count == count)
    }

    @Test func `Files of another folder are named with it`() async throws {
        let (calls, _, _) = try await deliver(output: "/out", uploads: [Self.two])
        #expect(calls == [["rsync", "/out/web-1.raw", "/out/web-1.raw.sha256sum", "two:"]])
    }

    @Test func `A post-build command with arguments is split, with a warning`() async throws {
        let (calls, told, _) = try await deliver(postBuild: "announce 'to all' --now")
        #expect(calls == [["announce", "to all", "--now", "web-1.raw"]])
        #expect(told.contains { $0.hasPrefix("warning: post-build-command") })
    }

    @Test func `A post-build command that exists as a whole is one program`() throws {
        let whole = try PostBuildCommand("/opt/my program") { $0 == "/opt/my program" }
        #expect(whole.words == ["/opt/my program"] && !whole.wasSplit)
    }

    @Test func `A program that is not there is told before the build`() throws {
        let delivery = try Delivery(
            ImageDefinition(
                name: "web", version: "1", os: OperatingSystem(distribution: "linux", release: ""),
                base: .netinstall(
                    Netinstall(
                        medium: .image(Source(.file, "/i")), answers: [], memory: .gibi(1),
                        postBuildCommand: "/nowhere/announce --now"))),
            BuildRequest(definition: .image("web", [])), runner: Recorder(), environment: [:])
        let error = #expect(throws: FactoryError.self) { try delivery.requirePrograms() }
        #expect(error?.message == "there is no program '/nowhere/announce', which 'post-build-command' names")
    }

    @Test(arguments: [
        ("a b  c", ["a", "b", "c"]), (#"a 'b c' "d e""#, ["a", "b c", "d e"]), (#"a\ b"#, ["a b"]),
        (#""a\"b\c""#, [#"a"b\c"#]), ("''", [""]), (" ", []), (#"a'b'"c""#, ["abc"]),
    ])
    func `Words are those of a shell`(text: String, words: [String]) throws {
        #expect(try ShellWords.split(text) == words)
    }

    @Test func `A quote that is not closed is a mistake`() {
        #expect(throws: FactoryError.self) { try ShellWords.split("a 'b") }
    }
}

@Suite struct BuildLogTests {
    @Test func `A log has a line for each event, in the older program's form`() async throws {
        try await Scratch.with { folder in
            let path = folder.path.appending("web.log")
            try Scratch.write("of an earlier build", path)
            let log = try BuildLog(path, clock: WallClock { 1_763_300_000.5 }, process: 42)
            #expect(try Scratch.read(path) == "of an earlier build")
            try log.open()
            let events = EventLog(clock: WallClock { 1_763_300_000.5 }, consumers: [{ log.consume($0) }])
            events.send(.note(message: "Successfully created web.raw"))
            events.send(.warning(step: "verify", message: "H-06 /etc/shadow"))
            events.send(.log(step: "install", line: "what a program prints"))
            log.fail(FactoryError(.failed, "the guest hangs"))
            let lines = try Scratch.read(path).split(separator: "\n").map(String.init)
            let form = /[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},500 image-factory \[42\] (.*)/
            #expect(
                lines.map { $0.wholeMatch(of: form).map { String($0.output.1) } } == [
                    "INFO: Successfully created web.raw", "WARNING: verify: H-06 /etc/shadow",
                    "ERROR: the guest hangs",
                ])
        }
    }

    @Test func `A folder that is not there is told before the build`() {
        #expect(throws: FactoryError.self) { try BuildLog("/nowhere/at/all/web.log", clock: WallClock { 0 }) }
    }
}
