import Crypto
import Model

/// A hash function under way.
protocol IncrementalHash {
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    /// To be called once, at the end.
    mutating func finish() -> [UInt8]
}

/// One that swift-crypto has.
struct CryptoHash<Function: HashFunction>: IncrementalHash {
    private var function = Function()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { function.update(bufferPointer: bytes) }
    mutating func finish() -> [UInt8] { Array(function.finalize()) }
}

extension HashAlgorithm {
    func start() -> any IncrementalHash {
        switch self {
        case .md5: CryptoHash<Insecure.MD5>()
        case .sha1: CryptoHash<Insecure.SHA1>()
        case .sha256: CryptoHash<SHA256>()
        case .sha384: CryptoHash<SHA384>()
        case .sha512: CryptoHash<SHA512>()
        case .sha3With224, .sha3With256, .sha3With384, .sha3With512: Keccak(length: length)
        case .blake2b: BLAKE2<BLAKE2b>()
        case .blake2s: BLAKE2<BLAKE2s>()
        }
    }
}
