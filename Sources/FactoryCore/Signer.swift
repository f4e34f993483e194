import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// Signs by minisign, in a process of its own that sees the key; this one never does.
///
/// A signature depends on the key, the file and the comment alone: signing again gives the same bytes.
struct Signer: Sendable {
    private let key: FilePath
    private let passwordFile: FilePath?
    private let runner: any CommandRunning

    init(_ signing: Signing, runner: any CommandRunning) {
        key = FilePath(signing.key)
        passwordFile = signing.passwordFile.map { FilePath($0) }
        self.runner = runner
    }

    /// The name of a file's signature.
    static func name(of file: String) -> String { file + ".minisig" }

    /// What a signature vouches for beside the bytes.
    static func comment(name: String, version: String, file: String, digest: Digest) -> String {
        "\(name) \(version) file:\(file) \(digest)"
    }

    /// Signs nothing of worth, so that a key that cannot sign is known before hours of work.
    func tryOut(in scratch: FilePath) async throws {
        for (what, path) in [("signing key", key), ("password of the signing key", passwordFile)] {
            guard let path else { continue }
            guard access(path.string, R_OK) == 0 else {
                throw FactoryError(
                    .missingInput, "cannot read the \(what) \(path): \(Errno(rawValue: errno))",
                    remedy: "check 'sign' of the definition; 'minisign -G -W -s FILE' makes a key")
            }
        }
        let file = scratch.appending("trial")
        try DurableFile.write([], to: file)
        _ = try await sign(file, comment: "trial", in: scratch)
    }

    /// The signatures of a build's artifacts and of its manifest, in the order in which they are written.
    func sign(
        _ finished: [FinishedArtifact], _ manifest: Document, of plan: BuildPlan, in scratch: FilePath
    ) async throws -> [Document] {
        let text = scratch.appending(manifest.name)
        try DurableFile.write(Array(manifest.text.utf8), to: text)
        var signatures: [Document] = []
        let files =
            finished.map { ($0.artifact.file, $0.source, $0.artifact.digest) }
            + [(manifest.name, text, manifest.digest)]
        for (name, path, digest) in files {
            let comment = Self.comment(name: plan.name, version: plan.version, file: name, digest: digest)
            signatures.append(
                Document(name: Self.name(of: name), text: try await sign(path, comment: comment, in: scratch)))
        }
        return signatures
    }

    private func sign(_ file: FilePath, comment: String, in scratch: FilePath) async throws -> String {
        let folder = scratch.appending("signature")
        try Folder.make(folder)
        defer { try? Folder.remove(folder) }
        try Containment.handOver(folder)
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(16),
            binds: [
                .init(source: key, target: "/mnt/key"),
                .init(source: file, target: "/mnt/file"),
                .init(source: folder, target: "/mnt/out", writable: true),
            ],
            // The program asks for the password there; without a file it finds an end.
            standardInput: passwordFile)
        let command = Command(
            "minisign",
            [
                "-S", "-s", "/mnt/key", "-m", "/mnt/file", "-x", "/mnt/out/signature", "-t", comment,
                "-c", "signature by image-factory",
            ], containment: containment)
        let result = try await runner.run(command)
        guard result.succeeded else { throw failure(result) }
        return String(decoding: try DurableFile.read(folder.appending("signature")), as: UTF8.self)
    }

    private func failure(_ result: CommandResult) -> FactoryError {
        let said = result.lastLines.joined(separator: "\n")
        if said.contains("get_password") {
            return FactoryError(
                .configuration, "the signing key \(key) has a password",
                remedy:
                    "name a file with it by password_file or --sign-password-file, or remove it: minisign -C -W -s \(key)"
            )
        }
        if said.contains("Wrong password") {
            return FactoryError(
                .configuration, "the password of the signing key \(key) is wrong",
                remedy: "check the file that password_file or --sign-password-file names")
        }
        return FactoryError(
            .configuration,
            "cannot sign with the key \(key): \(result.reason ?? "minisign ended with \(result.ending)")",
            remedy: "check that it is a secret key of minisign and that your user can read it")
    }
}
