/// SHA-3 (FIPS 202) with values of 28, 32, 48 or 64 bytes. swift-crypto lacks the shortest, and the others on older
/// systems.
struct Keccak: IncrementalHash {
    private static let rounds: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
        0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
        0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
        0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
        0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]
    /// Of ρ, in the order in which π moves the lanes.
    private static let shifts: [UInt64] = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    private static let lanes = [
        10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
    ]

    private var state = [UInt64](repeating: 0, count: 25)
    /// Bytes of the current block that are in the state.
    private var filled = 0
    private let rate: Int
    private let length: Int

    init(length: Int) {
        self.length = length
        rate = 200 - 2 * length
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            absorb(byte)
            filled += 1
            if filled == rate {
                permute()
                filled = 0
            }
        }
    }

    mutating func finish() -> [UInt8] {
        absorb(0x06)
        filled = rate - 1
        absorb(0x80)
        permute()
        return (0..<length).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64($0 % 8 * 8)) }
    }

    private mutating func absorb(_ byte: UInt8) { state[filled / 8] ^= UInt64(byte) << UInt64(filled % 8 * 8) }

    private mutating func permute() {
        state.withUnsafeMutableBufferPointer { a in
            var c: (UInt64, UInt64, UInt64, UInt64, UInt64)
            for constant in Self.rounds {
                c.0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
                c.1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
                c.2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
                c.3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
                c.4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
                let d = (
                    c.4 ^ Self.rotate(c.1, 1), c.0 ^ Self.rotate(c.2, 1), c.1 ^ Self.rotate(c.3, 1),
                    c.2 ^ Self.rotate(c.4, 1), c.3 ^ Self.rotate(c.0, 1)
                )
                for row in stride(from: 0, to: 25, by: 5) {
                    a[row] ^= d.0
                    a[row + 1] ^= d.1
                    a[row + 2] ^= d.2
                    a[row + 3] ^= d.3
                    a[row + 4] ^= d.4
                }
                var moved = a[1]
                for step in 0..<24 {
                    let lane = Self.lanes[step]
                    (moved, a[lane]) = (a[lane], Self.rotate(moved, Self.shifts[step]))
                }
                for row in stride(from: 0, to: 25, by: 5) {
                    let r = (a[row], a[row + 1], a[row + 2], a[row + 3], a[row + 4])
                    a[row] = r.0 ^ (~r.1 & r.2)
                    a[row + 1] = r.1 ^ (~r.2 & r.3)
                    a[row + 2] = r.2 ^ (~r.3 & r.4)
                    a[row + 3] = r.3 ^ (~r.4 & r.0)
                    a[row + 4] = r.4 ^ (~r.0 & r.1)
                }
                a[0] ^= constant
            }
        }
    }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value &<< count | value &>> (64 &- count)
    }
}
