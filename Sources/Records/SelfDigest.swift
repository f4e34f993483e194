import Model

/// A JSON text that holds its own digest, so that a flipped bit anywhere in it is found.
///
/// Its last member is `sha256`: the SHA-256 of the file's bytes with the 64 digits of this member as zeros.
package enum SelfDigest {
    private static let opening = ",\n  \"sha256\" : \""
    private static let ending = "\"\n}\n"
    private static let zeros = String(repeating: "0", count: 64)

    /// The text of a JSON object, as `Canonical.text` makes it, with its digest added.
    package static func seal(_ text: String) -> String {
        let body = text.dropLast("\n}\n".count)
        let digest = Digest(of: Array("\(body)\(opening)\(zeros)\(ending)".utf8))
        return body + opening + digest.hex + ending
    }

    /// Nil if the bytes are what they were when they were sealed, else what is wrong with them.
    package static func problem(_ bytes: [UInt8]) -> String? {
        let tail = opening.utf8.count + zeros.utf8.count + ending.utf8.count
        guard bytes.count > tail else { return "it does not end with its own digest" }
        let body = bytes.dropLast(tail)
        let rest = bytes.suffix(tail)
        let digits = rest.dropFirst(opening.utf8.count).prefix(zeros.utf8.count)
        guard rest.starts(with: Array(opening.utf8)), rest.reversed().starts(with: Array(ending.utf8).reversed()) else {
            return "it does not end with its own digest"
        }
        let digest = Digest(of: Array(body) + Array("\(opening)\(zeros)\(ending)".utf8))
        return digits.elementsEqual(Array(digest.hex.utf8)) ? nil : "its content and its own digest differ"
    }
}
