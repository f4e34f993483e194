import SystemPackage

/// Disks made of holes, zeroes, text that compresses and noise that does not, the same ones in every run.
struct RandomDisk {
    let size: Int64
    let pieces: [(at: Int64, bytes: [UInt8])]

    init(seed: UInt64, upTo limit: Int64 = 6 << 20) {
        var numbers = RepeatableNumbers(state: seed)
        size = Int64.random(in: 1...limit, using: &numbers)
        var pieces: [(at: Int64, bytes: [UInt8])] = []
        for _ in 0..<Int.random(in: 0...12, using: &numbers) {
            let at = Int64.random(in: 0..<size, using: &numbers)
            let count = Int(min(Int64.random(in: 1...400_000, using: &numbers), size - at))
            switch UInt8.random(in: 0...3, using: &numbers) {
            case 0: pieces.append((at, [UInt8](repeating: 0, count: count)))
            case 1: pieces.append((at, numbers.noise(count)))
            case 2: pieces.append((at, [UInt8](repeating: numbers.noise(1)[0], count: count)))
            default: pieces.append((at, numbers.text(count)))
            }
        }
        self.pieces = pieces
    }
}

extension RepeatableNumbers {
    /// Bytes without order, faster than `bytes`.
    mutating func noise(_ count: Int) -> [UInt8] {
        let words = (0..<(count + 7) / 8).map { _ in next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// Mebibytes that differ in their first word only, for large files.
    mutating func longNoise(mebibytes: Int) -> [UInt8] {
        let piece = noise(1 << 20)
        return (0..<mebibytes).flatMap { _ in noise(8) + piece[8...] }
    }

    /// Few different words in any order.
    mutating func text(_ count: Int) -> [UInt8] {
        let words = (0..<16).map { _ in noise(8) }
        return (0..<(count + 7) / 8).flatMap { _ in words[Int(next() % 16)] }.prefix(count).map { $0 }
    }
}
