import DiskFormats
import Engine
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// The tests' own cloud image (scripts/tiny-cloud), set up by the real step.
struct TinyCloudGuest {
    let folder: FilePath
    /// What the step is given; it must not change.
    let base: FilePath
    var action: CloudSetupAction
    var environment: StepEnvironment
    let events = TinyInstaller.Events()

    /// Which scripts/setup makes.
    static let image = RepositoryFiles.root.appending(".build/tiny-cloud/disk.raw")

    /// - Parameter tiny: one of the switches of scripts/tiny-cloud-init.
    static func with<Value>(
        _ tiny: String? = nil, _ files: [SeedFile.Kind: String] = [:],
        _ body: (inout TinyCloudGuest) async throws -> Value
    ) async throws -> Value {
        try #require(access(image.string, R_OK) == 0, "run scripts/setup, which makes the tiny cloud image")
        return try await Scratch.with { scratch in
            var files = files
            files[.userData] = files[.userData] ?? "#cloud-config\n# tiny: \(tiny ?? "")\n# writes: hello\n"
            var guest = try TinyCloudGuest(scratch.path, image, files)
            let before = try await digest(image)
            let value = try await body(&guest)
            #expect(try await digest(image) == before)
            return value
        }
    }

    init(_ folder: FilePath, _ image: FilePath, _ files: [SeedFile.Kind: String]) throws {
        self.folder = folder
        base = image
        chmod(folder.string, 0o755)
        for name in ["out", "reset", "scratch", "logs", "cache"] { mkdir(folder.appending(name).string, 0o755) }
        let runner = CommandRunner(helper: builtExecutable())
        var local: [Digest: FilePath] = [:]
        let seed = try files.map { kind, text in
            let file = folder.appending("given-\(kind.rawValue)")
            try Scratch.write(text, file)
            let digest = Digest(of: Array(text.utf8))
            local[digest] = file
            return SeedFile(kind, path: file.string, digest: digest, size: ByteCount(UInt64(text.utf8.count)))
        }
        action = CloudSetupAction(
            CloudSetup(files: seed, network: .none, memory: .mebi(256)), reset: nil)
        environment = StepEnvironment(
            runner: runner, tools: ToolInventory(runner: runner), executable: builtExecutable(), packages: folder,
            lock: nil, cache: folder.appending("cache"), logs: folder.appending("logs"), mirrors: [:],
            localFiles: local, bootLimit: .seconds(1))
        environment.setupClocks = GuestClocks(
            total: .seconds(120), noProgress: .seconds(60), shutdownGrace: .seconds(25))
    }

    static func digest(_ path: FilePath) async throws -> String {
        try await CommandRunner().run(Command("sha256sum", [path.string])).text
    }

    var output: FilePath { folder.appending("out") }
    var disk: FilePath { output.appending("disk.raw") }

    func context(_ step: String, _ inputs: [String: FilePath], output: FilePath) -> StepContext {
        StepContext(
            inputs: inputs, output: output, scratch: folder.appending("scratch"),
            report: StepReport(step: step) { [events] in events.add($0) })
    }

    /// Expects that no process is left, however it ends.
    func run() async throws {
        defer { #expect(processes() == []) }
        try await CloudSetupStep(action: action, environment: environment)
            .run(in: context("cloud-setup", ["disk": base], output: output))
    }

    /// The command lines that name the guest's folder: of its machine and whatever serves it.
    private func processes() -> [String] {
        Scratch.names("/proc").filter { UInt32($0) != nil }.compactMap { process in
            let line = try? Scratch.read(FilePath("/proc").appending(process).appending("cmdline"))
            return line.flatMap { $0.contains(folder.string) ? $0.replacing("\0", with: " ") : nil }
        }
    }

    /// Resets what `run` has left, or a disk that was put in its place.
    func reset(_ action: ResetAction, afterSetup: Bool = true) async throws -> ResetReport {
        let output = folder.appending("reset")
        // As it is in the store.
        chmod(disk.string, 0o444)
        var inputs = ["disk": disk]
        if afterSetup { inputs["setup"] = self.output.appending("cloud-init.json") }
        try await ResetStep(action: action, environment: environment)
            .run(in: context("reset", inputs, output: output))
        return try Canonical.decode(ResetReport.self, from: RepositoryFiles.bytes(output.appending("reset.json")))
    }

    /// Runs what has to fail for this reason; expects that nothing but evidence is left.
    @discardableResult
    func fail(_ reason: CloudSetupFailure) async throws -> FactoryError {
        let error = try #require(await #expect(throws: FactoryError.self) { try await run() })
        #expect(CloudSetupFailure(error) == reason, "\(error.message)")
        #expect(Scratch.names(folder.appending("scratch")).filter { $0 != "order.json" } == [])
        #expect(Scratch.names(output) == [])
        return error
    }

    /// Where a guest that failed leaves what helps to understand it.
    func evidence() throws -> FilePath {
        let name = try #require(Scratch.names(folder.appending("logs")).first)
        return folder.appending("logs").appending(name)
    }

    func record() throws -> CloudSetupRecord {
        try Canonical.decode(CloudSetupRecord.self, from: RepositoryFiles.bytes(output.appending("cloud-init.json")))
    }

    /// What a file of the disk holds.
    func text(_ path: BytePath, of disk: FilePath? = nil) throws -> String? {
        let file = try FileDescriptor.open(disk ?? self.disk, .readOnly)
        return try file.closeAfter {
            let bytes = try FileBytes(file)
            let root = try #require(try SystemRoot.all(of: bytes).first)
            let files = Ext4Editor(reading: try Ext4Filesystem(in: bytes, offset: UInt64(root.bytes.lowerBound)))
            return try files.find(path).map { String(decoding: try files.bytes($0), as: UTF8.self) }
        }
    }
}
