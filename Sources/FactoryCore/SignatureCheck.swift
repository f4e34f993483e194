import Glibc
import Model
import Store
import SystemPackage
import Tooling

/// Checks signatures by minisign, contained: what it reads is anybody's.
struct SignatureCheck: Sendable {
    private let key: String
    private let runner: any CommandRunning

    /// - Parameter key: a public key of minisign, or the path of a file with one.
    init(key: String, runner: any CommandRunning) throws {
        self.runner = runner
        if Self.isKey(key) {
            self.key = key
            return
        }
        let path = FilePath(key)
        let bytes: [UInt8]
        do {
            bytes = try DurableFile.read(path, limit: 4096)
        } catch {
            throw FactoryError(
                .missingInput, "cannot read the public key \(path): \(error)",
                remedy: "give the path of minisign's public key, or the key itself: it begins with RW")
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let found = lines.last.map(String.init), Self.isKey(found) else {
            throw FactoryError(
                .missingInput, "\(path) is not a public key of minisign",
                remedy: "give the file that 'minisign -G' wrote as public key, not the secret one")
        }
        self.key = found
    }

    /// 42 bytes in base64: algorithm `Ed`, key number, key.
    private static func isKey(_ text: String) -> Bool {
        text.utf8.count == 56 && text.hasPrefix("RW")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
            }
    }

    /// Nil if the signature is that of the file with this digest, else what is wrong.
    func problem(of file: InspectedFile, in folder: FilePath) async throws -> String? {
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(16),
            binds: [
                .init(source: folder.appending(file.file), target: "/mnt/file"),
                .init(source: folder.appending(Signer.name(of: file.file)), target: "/mnt/signature"),
            ], limits: Containment.Limits(addressSpace: .gibi(4), fileSize: .mebi(1)))
        let result = try await runner.run(
            Command(
                "minisign", ["-V", "-Q", "-P", key, "-m", "/mnt/file", "-x", "/mnt/signature"],
                containment: containment))
        guard result.succeeded else {
            let said = result.lastLines.joined(separator: " ")
            return said.contains("key id") ? "its signature is of another key" : "its signature is not valid"
        }
        // What is signed is the comment too: it says of which file the signature is.
        guard let digest = file.digest, result.text.hasSuffix(" file:\(file.file) \(digest)") else {
            return "its signature was made for another file"
        }
        return nil
    }
}
