package import SystemPackage

/// The functions by which others tell what their files are, as Python's hashlib calls them.
package enum HashAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    case md5
    case sha1
    case sha256
    case sha384
    case sha512
    case sha3With224 = "sha3_224"
    case sha3With256 = "sha3_256"
    case sha3With384 = "sha3_384"
    case sha3With512 = "sha3_512"
    /// With 64 bytes.
    case blake2b
    /// With 32 bytes.
    case blake2s

    /// Any usual spelling: `sha3-256`, `SHA512`, `SHA-256`, `blake2b`.
    package init?(named name: String) {
        let plain = name.lowercased().replacing("-", with: "_")
        let joined = plain.hasPrefix("sha_") ? "sha" + plain.dropFirst(4) : plain
        self.init(rawValue: joined)
    }

    /// The one of the SHA-2 family, or before it, whose values have so many hexadecimal digits: what lists of checksums
    /// mean that do not say.
    package init?(digits: Int) {
        let plain: [HashAlgorithm] = [.md5, .sha1, .sha256, .sha384, .sha512]
        guard let found = plain.first(where: { $0.length * 2 == digits }) else { return nil }
        self = found
    }

    /// Of a value, in bytes.
    package var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha3With224: 28
        case .sha256, .sha3With256, .blake2s: 32
        case .sha384, .sha3With384: 48
        case .sha512, .sha3With512, .blake2b: 64
        }
    }

    /// Whether two files with one value can be made.
    package var isBroken: Bool { self == .md5 || self == .sha1 }

    /// For people: `SHA-256`.
    package var title: String {
        switch self {
        case .md5: "MD5"
        case .sha1: "SHA-1"
        case .sha256: "SHA-256"
        case .sha384: "SHA-384"
        case .sha512: "SHA-512"
        case .sha3With224: "SHA3-224"
        case .sha3With256: "SHA3-256"
        case .sha3With384: "SHA3-384"
        case .sha3With512: "SHA3-512"
        case .blake2b: "BLAKE2b"
        case .blake2s: "BLAKE2s"
        }
    }
}

/// What somebody says of the bytes of a source.
package enum Checksum: Hashable, Sendable, Codable {
    case value(Value)
    case listed(List)

    /// The value of a hash function over a file or its beginning.
    package struct Value: Hashable, Sendable, Codable {
        package var algorithm: HashAlgorithm
        /// Lower-case hexadecimal digits.
        package var digits: String
        /// How many bytes of the file it is of, from its start; nil: all.
        package var first: ByteCount?

        /// Nil if these are not the hexadecimal digits of such a value.
        package init?(_ algorithm: HashAlgorithm, _ digits: String, first: ByteCount? = nil) {
            guard digits.utf8.count == algorithm.length * 2, digits.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
                return nil
            }
            self.algorithm = algorithm
            self.digits = digits.lowercased()
            self.first = first
        }

        /// `sha512:0123…`, or digits alone, whose number tells the function.
        package init?(parsing text: String, first: ByteCount? = nil) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let algorithm =
                parts.count == 2 ? HashAlgorithm(named: parts[0]) : HashAlgorithm(digits: text.utf8.count)
            guard let algorithm, let digits = parts.last else { return nil }
            self.init(algorithm, digits, first: first)
        }

        package init(_ digest: Digest) {
            algorithm = .sha256
            digits = digest.hex
            first = nil
        }

        /// The SHA-256 digest that it is, if it is one of a whole file.
        package var digest: Digest? { algorithm == .sha256 && first == nil ? Digest(digits) : nil }
    }

    /// A file such as SHA256SUMS, which has the values of many.
    package struct List: Hashable, Sendable, Codable {
        package var source: Source
        /// As the list calls the file; nil: its name is the end of the file's own URL.
        package var name: String?
        /// Where the list does not tell it by itself.
        package var algorithm: HashAlgorithm?
        package var signature: Signature?

        package init(
            _ source: Source, name: String? = nil, algorithm: HashAlgorithm? = nil, signature: Signature? = nil
        ) {
            self.source = source
            self.name = name
            self.algorithm = algorithm
            self.signature = signature
        }
    }

    /// An OpenPGP signature of a list.
    package struct Signature: Hashable, Sendable, Codable {
        /// A file of public keys, binary or armoured: one of them must have signed.
        package var keyring: FilePath
        /// Nil: the list itself is a signed message.
        package var detached: Source?

        package init(keyring: FilePath, detached: Source? = nil) {
            self.keyring = keyring
            self.detached = detached
        }
    }
}
