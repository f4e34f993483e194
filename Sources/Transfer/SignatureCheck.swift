import FoundationEssentials
import Glibc
import Model
import SystemPackage
import Tooling

/// Checks an OpenPGP signature by gpgv, in a containment without network that sees these files alone.
struct SignatureCheck {
    /// More is no list and no keyring.
    private static let limit = 16 << 20

    let runner: any CommandRunning
    let keyring: FilePath

    /// What a key of the keyring has signed: the file, or of a signed message its content.
    ///
    /// - Parameters:
    ///   - shown: what the file is called in errors.
    ///   - scratch: a folder in which one can be made.
    func signedContent(
        of file: FilePath, detached: FilePath?, shown: String, scratch: FilePath
    ) async throws -> [UInt8] {
        var template = Array(scratch.appending("signature-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FileFailure.error(Errno(rawValue: errno), "make a folder in", scratch, code: .cannotCreate)
        }
        let folder = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        let files = ["keys", "signed", "signature", "content"]
        defer {
            for name in files { _ = unlink(folder.appending(name).string) }
            _ = rmdir(folder.string)
        }
        // Copies that everybody may read: the contained process is another user where root runs this.
        guard chmod(folder.string, 0o755) == 0 else { throw FileFailure.error(Errno(rawValue: errno), "use", folder) }
        try Containment.handOver(folder)
        try LocalFile.write(try keys(), folder.appending("keys"))
        let bytes = try LocalFile.read(file, limit: Self.limit) ?? []
        try LocalFile.write(bytes, folder.appending("signed"))
        var arguments = ["--status-fd", "1", "--keyring", "/mnt/in/keys"]
        if let detached {
            let signature = Armor.decoded(try LocalFile.read(detached, limit: Self.limit) ?? [])
            try LocalFile.write(signature, folder.appending("signature"))
            arguments += ["--", "/mnt/in/signature", "/mnt/in/signed"]
        } else {
            arguments += ["--output", "/mnt/in/content", "--", "/mnt/in/signed"]
        }
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(16),
            binds: [Containment.Bind(source: folder, target: "/mnt/in", writable: true)])
        let result = try await runner.run(
            Command("gpgv", arguments, containment: containment, timeout: .seconds(60)))
        if let problem = GPGStatus(result.text).problem {
            throw FactoryError(
                .failed, "the signature of \(shown) does not hold: \(problem)",
                remedy: "check the keyring \(keyring), and where the list is from")
        }
        if detached != nil { return bytes }
        return try LocalFile.read(folder.appending("content"), limit: Self.limit) ?? []
    }

    private func keys() throws -> [UInt8] {
        guard let bytes = try LocalFile.read(keyring, limit: Self.limit, followingLinks: true) else {
            throw FactoryError(
                .missingInput, "there is no keyring \(keyring)",
                remedy: "give the file of keys by which lists are signed")
        }
        return Armor.decoded(bytes)
    }
}

/// What gpgv writes for programs (GnuPG's doc/DETAILS).
struct GPGStatus {
    /// Nil: a key of the keyring has signed, and no signature is a bad one.
    let problem: String?

    init(_ text: String) {
        var problems: [String: String] = [:]
        var isGood = false
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            guard words.count > 1, words[0] == "[GNUPG:]" else { continue }
            switch words[1] {
            case "GOODSIG": isGood = true
            case "BADSIG": problems["bad"] = "it is of other bytes"
            case "EXPKEYSIG": problems["expired"] = "the key \(words.dropFirst(2).first ?? "") has expired"
            case "REVKEYSIG": problems["revoked"] = "the key \(words.dropFirst(2).first ?? "") was revoked"
            case "EXPSIG": problems["expired"] = "the signature has expired"
            case "NO_PUBKEY": problems["unknown"] = "the keyring has no key \(words.dropFirst(2).first ?? "")"
            default: break
            }
        }
        if let bad = problems["bad"] {
            problem = bad
        } else if isGood {
            problem = nil
        } else {
            problem = ["revoked", "expired", "unknown"].lazy.compactMap { problems[$0] }.first ?? "there is none"
        }
    }
}

/// OpenPGP data as text (RFC 9580, 6.2). gpgv takes keyrings only as they are without it.
enum Armor {
    /// The data of the blocks in the text; what is no such text as it is.
    static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        let dashes = Array("-----BEGIN PGP ".utf8)
        guard bytes.starts(with: dashes) || bytes.prefix(4096).contains(sequence: [0x0a] + dashes) else { return bytes }
        var data: [UInt8] = []
        var block: String?
        var isHeader = false
        for line in String(decoding: bytes, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        {
            let line = String(line).filter { $0 != " " && $0 != "\t" }
            if line.hasPrefix("-----BEGINPGP") {
                (block, isHeader) = ("", true)
            } else if line.hasPrefix("-----ENDPGP") {
                if let text = block, let part = Data(base64Encoded: text) { data += Array(part) }
                block = nil
            } else if isHeader {
                isHeader = !line.isEmpty
            } else if line.first != "=" {
                // The line with "=" is a checksum, which no program needs any more.
                block?.append(line)
            }
        }
        return data
    }
}

extension ArraySlice<UInt8> {
    fileprivate func contains(sequence: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: sequence) }
    }
}
