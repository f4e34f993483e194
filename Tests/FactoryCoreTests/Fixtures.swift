import Engine
import Model
import Planning
import Store
import SystemPackage
import TestSupport
import Tooling

@testable import FactoryCore
@testable import Steps

/// A build of two small artifacts whose steps have all run, as far as anybody can tell, to be published for real.
struct FinishedBuild {
    let factory: Factory
    let store: FolderStore
    /// Where it is published.
    let output: FilePath
    var prepared: PreparedBuild
    private(set) var results: [String: StepResult] = [:]
    private let folder: FilePath

    static func with(_ body: (inout FinishedBuild) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            var build = try FinishedBuild(in: scratch.path)
            try await body(&build)
        }
    }

    /// An installation of image-factory.conf in place of a tree: `web-2026-11-21.raw`.
    static func withInstallation(
        _ change: (inout ImageDefinition, inout Netinstall) -> Void = { _, _ in },
        _ body: (inout FinishedBuild) async throws -> Void
    ) async throws {
        let source = Source(.https, "https://me:secret@mirror.example.org/linux")
        var install = Netinstall(
            medium: .kernel(source, initrd: source),
            answers: [AnswerFile(.preseed, path: "/home/me/web.cfg", digest: Digest(of: [1]), size: ByteCount(1))],
            memory: .gibi(1))
        var definition = ImageDefinition(
            name: "web", version: "2026-11-21", os: OperatingSystem(distribution: "linux", release: ""),
            disk: DiskLayout(size: .fixed(.gibi(2)), firmware: .bios),
            outputs: [Output(.raw)], bootCheck: BootCheck(enabled: false))
        change(&definition, &install)
        definition.base = .netinstall(install)
        let facts = PlanningFacts(tools: [:], sources: [source: Digest(of: [2])], day: "2026-11-21")
        try await Scratch.with { scratch in
            var build = try FinishedBuild(
                in: scratch.path, definition, try Planner.plan(definition, facts: facts), lock: nil)
            try await body(&build)
        }
    }

    private init(in folder: FilePath) throws {
        var definition = ImageDefinition(
            name: "web", version: "1.0", os: OperatingSystem(distribution: "debian", release: "trixie"))
        definition.outputs = [Output(.tar), Output(.tarZstd)]
        definition.bootCheck = BootCheck(enabled: false)
        let release = SuiteRelease(
            archive: "main", suite: "trixie", inRelease: Digest(of: [1]), date: 1_763_200_000)
        let lock = PackageLock(
            distribution: "debian", suite: "trixie", architecture: .amd64, components: ["main"], requested: ["bash"],
            releases: [release], packages: [Self.bash])
        let plan = try Planner.plan(
            definition,
            facts: PlanningFacts(
                lock: lock,
                tools: Dictionary(
                    uniqueKeysWithValues: ([Planner.builder] + Planner.tools(for: definition)).map { ($0, "1.0") })))
        try self.init(in: folder, definition, plan, lock: lock)
    }

    private init(in folder: FilePath, _ definition: ImageDefinition, _ plan: BuildPlan, lock: PackageLock?) throws {
        self.folder = folder
        let runner = CommandRunner(helper: builtExecutable())
        factory = Factory(
            store: folder.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
            executable: builtExecutable(), clock: WallClock { 1_763_300_000 }, environment: [:])
        store = try FolderStore(
            folder.appending("store"), digest: { Digest(of: try DurableFile.read($0)) }, removeForeign: { _ in })
        output = folder.appending("out")
        prepared = PreparedBuild(
            loaded: LoadedDefinition(
                definition: definition, warnings: [], localFiles: [:], source: Digest(of: [2])),
            plan: plan, tools: ["tar": "1.34"], warnings: [], lock: lock)
        try makeResults()
    }

    private static let bash = LockedPackage(
        name: "bash", version: "5.2.37-2", architecture: "amd64", digest: Digest(of: [3]), size: 1, archive: "main",
        file: "pool/main/b/bash/bash_5.2.37-2_amd64.deb")

    private mutating func makeResults() throws {
        for step in prepared.plan.steps {
            let path = folder.appending("results").appending(step.name)
            try Folder.make(path)
            results[step.name] = StepResult(
                folder: path, record: StepRecord(id: step.id, name: step.name, made: 1_763_299_999, seconds: 1.5))
        }
        for artifact in prepared.plan.artifacts {
            try make(artifact.file, Self.content(artifact.file))
        }
        if case .netinstall = prepared.loaded.definition.base {
            try write(
                VerifyReport(rules: ["H-01"], isStrict: false, isAdvisory: true, findings: []), "verify", "verify.json")
            try write(["seconds": 7], "install", "install.json")
            try write(["freed": 9], "seal", "seal.json")
            try DurableFile.write(
                Array("Content of /var/log/installer/syslog:\nit went well".utf8),
                to: folder.appending("results/seal/installer-logs.txt"))
            return
        }
        let package = InstalledPackage(
            name: "bash", version: "5.2.37-2", architecture: "amd64", source: "bash", sourceVersion: "5.2.37-2",
            maintainer: "A <a@example.org>", homepage: nil, licenses: ["GPL-3+"])
        try write([package], "configure", "packages.json")
        try write([Self.bash], "bootstrap", "packages.lock.json")
    }

    /// What a header tells apart, and then what nobody unpacks.
    static func content(_ file: String, _ text: String = "as it was built") -> [UInt8] {
        let start: [UInt8] = file.hasSuffix(".zst") ? [0x28, 0xb5, 0x2f, 0xfd] : []
        let bytes = start + Array("\(file) \(text)\n".utf8)
        // A disk is made of sectors.
        return file.hasSuffix(".raw") ? bytes + [UInt8](repeating: 0, count: 512 - bytes.count) : bytes
    }

    private func write(_ value: some Encodable, _ step: String, _ file: String) throws {
        let path = folder.appending("results").appending(step).appending(file)
        try DurableFile.write(Array(try Canonical.text(value).utf8), to: path)
    }

    /// Gives an artifact other content.
    func make(_ file: String, _ bytes: [UInt8]) throws {
        guard let planned = prepared.plan.artifacts.first(where: { $0.file == file }),
            let folder = results[planned.source.step]?.folder
        else { throw Errno.noSuchFileOrDirectory }
        try DurableFile.write(bytes, to: folder.appending(planned.source.file))
        try write(
            DigestRecord(
                digest: Digest(of: bytes), size: ByteCount(UInt64(bytes.count)), allocated: ByteCount(4096)),
            planned.digestStep, "digest.json")
    }

    @discardableResult
    func publish(reused: Set<String> = [], key: FilePath? = nil) async throws -> BuildReport {
        try await factory.publish(
            prepared, results, reused,
            BuildRequest(definition: .file("web.yaml"), set: [("who", "me")], output: output),
            by: key.map { Signer(Signing(key: $0.string), runner: factory.runner) }, store, since: 1_763_299_000)
    }

    /// A new pair of keys without password: the secret one and the public one.
    func makeKeys(_ name: String) async throws -> (secret: FilePath, public: FilePath) {
        let (secret, pub) = (folder.appending(name + ".key"), folder.appending(name + ".pub"))
        try await factory.runner.runChecked(
            Command("minisign", ["-G", "-W", "-s", secret.string, "-p", pub.string]), activity: "making keys")
        return (secret, pub)
    }

    /// What `inspect` finds wrong, a line each: `FILE: PROBLEM`.
    func problems(_ file: String? = nil, publicKey: FilePath? = nil) async throws -> [String] {
        let inspection = try await factory.inspect(
            file.map { output.appending($0) } ?? output, publicKey: publicKey?.string)
        return inspection.problems.flatMap { file in file.problems.map { "\(file.file): \($0)" } }
    }

    /// Changes one bit of a published file, and gives back what it was.
    func flip(_ file: String, bit: Int, in bytes: [UInt8]) throws {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        try overwrite(file, flipped)
    }

    func overwrite(_ file: String, _ bytes: [UInt8]) throws {
        let descriptor = try FileDescriptor.open(output.appending(file), .writeOnly, options: .truncate)
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
    }
}
