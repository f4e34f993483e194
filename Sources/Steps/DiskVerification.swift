import DiskFormats
package import Model
package import SystemPackage
package import Tooling
package import Verify

/// Has the rules applied to a raw disk by this program in a short-lived containment with limits.
package struct DiskVerification: Sendable {
    private let runner: any CommandRunning
    private let executable: FilePath

    /// - Parameter executable: the program itself.
    package init(runner: any CommandRunning, executable: FilePath) {
        self.runner = runner
        self.executable = executable
    }

    /// Everything that is needed to judge a disk beside the disk.
    package struct Request: Sendable {
        package var policy: VerifyPolicy
        package var traces: VerifyTraces
        package var container: [String]
        package var secrets: [SecretValue]

        package init(
            policy: VerifyPolicy, traces: VerifyTraces = VerifyTraces(), container: [String] = [],
            secrets: [SecretValue] = []
        ) {
            self.policy = policy
            self.traces = traces
            self.container = container
            self.secrets = secrets
        }
    }

    /// The report, which is left in `output` as `verify.json`. What the disk holds can make this fail, with one line of
    /// error, and nothing else; where findings are only told, that line is the one finding.
    ///
    /// - Parameter scratch: a folder of the caller's, for what the contained process is given.
    package func run(
        _ request: Request, disk: FilePath, output: FilePath, scratch: FilePath,
        log: @escaping @Sendable (String) -> Void
    ) async throws -> VerifyReport {
        do {
            return try await judge(request, disk: disk, output: output, scratch: scratch, log: log)
        } catch let error as FactoryError where request.policy.isAdvisory && !Task.isCancelled {
            return try Self.unread(error.message, in: output)
        }
    }

    /// The report of a disk that nobody can judge, such as one with a filesystem that the rules do not read.
    private static func unread(_ reason: String, in output: FilePath) throws -> VerifyReport {
        let finding = VerifyFinding(
            rule: "unread", verdict: .warning, path: "disk", message: reason, hint: "no rule was applied to it")
        let report = VerifyReport(rules: [], isStrict: false, isAdvisory: true, findings: [finding])
        try WholeFile.write(try Canonical.text(report), output.appending(VerifyInside.report))
        return report
    }

    private func judge(
        _ request: Request, disk: FilePath, output: FilePath, scratch: FilePath,
        log: @escaping @Sendable (String) -> Void
    ) async throws -> VerifyReport {
        try Containment.handOver(output)
        let order = scratch.appending("order.json")
        let inside = VerifyInside(
            policy: request.policy, traces: request.traces, container: request.container,
            hasSecrets: !request.secrets.isEmpty)
        try WholeFile.write(try Canonical.text(InsideOrder.verify(inside)), order)
        var containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: output, target: "/mnt/out", writable: true),
                .init(source: disk, target: VerifyInside.disk.string),
                .init(source: order, target: "/mnt/order.json"),
                .init(source: executable, target: "/mnt/image-factory"),
            ],
            limits: .init(addressSpace: .gibi(8), processorTime: .seconds(300), fileSize: .mebi(256)))
        if !request.secrets.isEmpty {
            containment.binds.append(
                .init(
                    source: try request.secrets.handOver(in: scratch), target: SecretFile.path.string, writable: true))
        }
        try await run(containment, secrets: request.secrets, log: log)
        return try Canonical.decode(VerifyReport.self, from: WholeFile.bytes(output.appending(VerifyInside.report)))
    }

    private func run(
        _ containment: Containment, secrets: [SecretValue], log: @escaping @Sendable (String) -> Void
    ) async throws {
        let command = Command(
            "/mnt/image-factory", ["__inside", "/mnt/order.json"], containment: containment,
            secrets: secrets.flatMap(\.maskedTexts))
        let failure = LineCollector()
        let result = try await runner.run(command) { _, line in
            if let said = InsideMessage(line) { failure.add(said.text) } else { log(line) }
        }
        guard !result.succeeded else { return }
        if let said = failure.lines.first {
            let parts = said.split(separator: "\t", maxSplits: 1).map(String.init)
            throw FactoryError(
                said.hasPrefix("the image cannot be verified") ? .definition : .failed, parts[0],
                remedy: parts.count > 1 ? parts[1] : nil)
        }
        throw FactoryError(
            .definition, "the image cannot be verified: reading it ended with \(result.ending)",
            remedy: "it is damaged, or made to do harm: get it anew from where it comes from")
    }
}

/// The file by which secrets reach a contained process.
enum SecretFile {
    static let path: FilePath = "/mnt/secrets.json"

    static func read() throws -> [SecretValue] {
        try Canonical.decode([SecretValue].self, from: WholeFile.bytes(path))
    }

    /// Those of a step that names them: without names there is no file.
    static func read(_ names: [String]) throws -> [SecretValue] { names.isEmpty ? [] : try read() }
}

extension [SecretValue] {
    /// Writes the file, of mode 0600, for a contained process of this user. It has to be bound writable: the owners in
    /// other binds are those of the host.
    func handOver(in scratch: FilePath) throws -> FilePath {
        let file = scratch.appending("secrets.json")
        try WholeFile.write(try Canonical.text(self), file, mode: .ownerReadWrite)
        try Containment.handOver(file)
        return file
    }
}

extension SecretValue {
    /// What must not be shown: the secret, or each of its lines that says something, and the whole in base64.
    var maskedTexts: [String] {
        let lines = value.split(whereSeparator: \.isNewline).map(String.init)
        return (lines.count == 1 ? lines : lines.filter { $0.utf8.count >= 8 }) + SecretForms.base64Texts(value)
    }
}
