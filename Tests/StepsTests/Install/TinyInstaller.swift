import Engine
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// The tests' own installer (scripts/tiny-installer), run by the real step.
struct TinyInstaller {
    /// Answers that make the installer say that it is done.
    static let answers = "# finish: \(SerialMatcher.installationFinished)\nd-i debian-installer/locale string C\n"

    let folder: FilePath
    var action: InstallAction
    var environment: StepEnvironment
    let events = Events()

    final class Events: Sendable {
        private let kept = Mutex<[BuildEvent.Kind]>([])

        func add(_ event: BuildEvent.Kind) { kept.withLock { $0.append(event) } }

        var all: [BuildEvent.Kind] { kept.withLock { $0 } }

        var lines: [String] { all.compactMap { if case .log(_, let line) = $0 { line } else { nil } } }

        var warnings: [String] { all.compactMap { if case .warning(_, let text) = $0 { text } else { nil } } }

        var activities: [String] { all.compactMap { if case .started(_, let text) = $0 { text } else { nil } } }
    }

    /// Its kernel and initrd, which scripts/setup makes.
    static let kernel = RepositoryFiles.root.appending(".build/tiny-installer/kernel")
    static let initrd = RepositoryFiles.root.appending(".build/tiny-installer/initrd")

    /// - Parameter tiny: one of the switches of scripts/tiny-installer-init.
    static func with(
        _ tiny: String? = nil, kind: AnswerFile.Kind = .preseed, answers: String = answers,
        runner: any CommandRunning = CommandRunner(helper: builtExecutable()),
        _ body: (inout TinyInstaller) async throws -> Void
    ) async throws {
        try #require(access(kernel.string, R_OK) == 0, "run scripts/setup, which makes the tiny installer")
        try await Scratch.with { scratch in
            var installer = try TinyInstaller(scratch.path, tiny, kind, answers, runner)
            try await body(&installer)
        }
    }

    private init(
        _ folder: FilePath, _ tiny: String?, _ kind: AnswerFile.Kind, _ answers: String, _ runner: any CommandRunning
    ) throws {
        self.folder = folder
        chmod(folder.string, 0o755)
        for name in ["out", "scratch", "logs", "cache"] { mkdir(folder.appending(name).string, 0o755) }
        let file = folder.appending("answers")
        try Scratch.write(answers, file)
        let digests = (kernel: Digest(of: Array("kernel".utf8)), initrd: Digest(of: Array("initrd".utf8)))
        let local = Digest(of: Array(answers.utf8))
        action = InstallAction(
            medium: .kernel(digests.kernel, initrd: digests.initrd),
            answers: [.init(kind: kind, name: "tiny.cfg", digest: local)],
            append: "quiet mitigations=off" + (tiny.map { " tiny=\($0)" } ?? ""), disk: .mebi(64), firmware: .bios,
            memory: .mebi(256),
            processors: 1, mac: nil, hypervisor: .qemu, network: .proxy, day: "2026-11-21")
        environment = StepEnvironment(
            runner: runner, tools: ToolInventory(runner: runner), executable: builtExecutable(), packages: folder,
            lock: nil, cache: folder.appending("cache"), logs: folder.appending("logs"), mirrors: [:],
            localFiles: [local: file], bootLimit: .seconds(1))
        environment.sources = [digests.kernel: Self.kernel, digests.initrd: Self.initrd]
        environment.installClocks = GuestClocks(
            total: .seconds(120), noProgress: .seconds(60), shutdownGrace: .seconds(30))
    }

    var output: FilePath { folder.appending("out") }

    /// Where a failed installation leaves what helps to understand it.
    var evidence: FilePath { folder.appending("logs/install-\(getpid())") }

    func run() async throws {
        let context = StepContext(
            inputs: [:], output: output, scratch: folder.appending("scratch"),
            report: StepReport(step: "install") { [events] in events.add($0) })
        try await InstallStep(action: action, environment: environment).run(in: context)
    }

    /// Runs what has to fail; expects that nothing but evidence is left, and returns the error.
    func fail() async throws -> FactoryError {
        let error = try #require(await #expect(throws: FactoryError.self) { try await run() })
        #expect(Scratch.names(folder.appending("scratch")).filter { $0 != "order.json" } == [])
        return error
    }

    func record() throws -> InstallRecord {
        try Canonical.decode(InstallRecord.self, from: RepositoryFiles.bytes(output.appending(InstallStep.record)))
    }

    func text(_ name: FilePath) throws -> String { try Scratch.read(name) }
}
