/// What BLAKE2b and BLAKE2s (RFC 7693) differ in. Their words are of 64 and 32 bits.
protocol BLAKE2Variant {
    associatedtype Word: FixedWidthInteger & UnsignedInteger

    static var rounds: Int { get }
    static var start: [Word] { get }
    static var rotations: (Word, Word, Word, Word) { get }
}

enum BLAKE2b: BLAKE2Variant {
    static let rounds = 12
    static let start: [UInt64] = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]
    static let rotations: (UInt64, UInt64, UInt64, UInt64) = (32, 24, 16, 63)
}

enum BLAKE2s: BLAKE2Variant {
    static let rounds = 10
    static let start: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    static let rotations: (UInt32, UInt32, UInt32, UInt32) = (16, 12, 8, 7)
}

/// BLAKE2 without a key and with its longest value, as b2sum and Python have it.
struct BLAKE2<Variant: BLAKE2Variant>: IncrementalHash {
    private typealias Word = Variant.Word

    private static var wordSize: Int { Variant.Word.bitWidth / 8 }
    private static var blockSize: Int { 16 * wordSize }

    private var state: [Variant.Word]
    private var block: [UInt8]
    private var filled = 0
    private var count: UInt64 = 0

    init() {
        state = Variant.start
        // No key, no tree; the length of the value is that of the state.
        state[0] ^= 0x0101_0000 ^ Variant.Word(8 * Self.wordSize)
        block = [UInt8](repeating: 0, count: Self.blockSize)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            // The last block is compressed by finish(), even when it is full.
            if filled == Self.blockSize { compress(isLast: false) }
            block[filled] = byte
            filled += 1
        }
    }

    mutating func finish() -> [UInt8] {
        for at in filled..<Self.blockSize { block[at] = 0 }
        compress(isLast: true)
        return state.flatMap { word in
            (0..<Self.wordSize).map { UInt8(truncatingIfNeeded: word >> Variant.Word($0 * 8)) }
        }
    }

    private mutating func compress(isLast: Bool) {
        count += UInt64(filled)
        filled = 0
        let words = (0..<16).map { index in
            (0..<Self.wordSize).reduce(0 as Variant.Word) { word, byte in
                word | Variant.Word(block[index * Self.wordSize + byte]) << Variant.Word(byte * 8)
            }
        }
        var v = state + Variant.start
        v[12] ^= Variant.Word(truncatingIfNeeded: count)
        if Variant.Word.bitWidth < 64 { v[13] ^= Variant.Word(truncatingIfNeeded: count >> 32) }
        if isLast { v[14] = ~v[14] }
        v.withUnsafeMutableBufferPointer { v in
            for round in 0..<Variant.rounds {
                let order = blake2Orders[round % 10]
                for (step, columns) in blake2Steps.enumerated() {
                    Self.mix(v, columns, words[order[2 * step]], words[order[2 * step + 1]])
                }
            }
        }
        for index in 0..<8 { state[index] ^= v[index] ^ v[index + 8] }
    }

    private static func mix(
        _ v: UnsafeMutableBufferPointer<Variant.Word>, _ at: (Int, Int, Int, Int), _ x: Variant.Word,
        _ y: Variant.Word
    ) {
        let (a, b, c, d) = at
        let rotations = Variant.rotations
        v[a] = v[a] &+ v[b] &+ x
        v[d] = rotate(v[d] ^ v[a], rotations.0)
        v[c] = v[c] &+ v[d]
        v[b] = rotate(v[b] ^ v[c], rotations.1)
        v[a] = v[a] &+ v[b] &+ y
        v[d] = rotate(v[d] ^ v[a], rotations.2)
        v[c] = v[c] &+ v[d]
        v[b] = rotate(v[b] ^ v[c], rotations.3)
    }

    private static func rotate(_ word: Variant.Word, _ count: Variant.Word) -> Variant.Word {
        word &>> count | word &<< (Variant.Word(Variant.Word.bitWidth) &- count)
    }
}

/// The columns, then the diagonals.
private let blake2Steps = [
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13),
    (3, 4, 9, 14),
]

private let blake2Orders = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
]
