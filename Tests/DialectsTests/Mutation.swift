/// The same numbers each time (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// One way to spoil a file.
enum Mutation: String, CaseIterable, Sendable {
    case flipByte, truncate, duplicateLine, removeLine, swapLines, renameKey, insertBracket, indentLine
    case nestDeeply, bombWithAliases, lengthenLine, insertControl

    func applied(to bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        switch self {
        case .flipByte: flipped(bytes, &random)
        case .truncate: Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        case .insertBracket:
            inserted("[]{}\"'&*!|>%@`:#?-".utf8.randomElement(using: &random).map { [$0] } ?? [], bytes, &random)
        case .insertControl:
            inserted(
                [[0x1b], [0], [0xc2, 0x85], [0xe2, 0x80, 0xae], [0x0d]].randomElement(using: &random) ?? [], bytes,
                &random)
        case .nestDeeply: inserted(Self.deep(&random), bytes, &random)
        case .lengthenLine:
            inserted(
                [UInt8](repeating: "a[ \u{7e}:".utf8.randomElement(using: &random) ?? 0x61, count: 100_000), bytes,
                &random)
        case .bombWithAliases: Array(Self.bomb.utf8) + bytes
        default: lines(bytes, &random)
        }
    }

    private func flipped(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        return bytes
    }

    private func inserted(_ text: [UInt8], _ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        let at = Int.random(in: 0...bytes.count, using: &random)
        return bytes[..<at] + text + bytes[at...]
    }

    private func lines(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        let at = Int.random(in: 0..<lines.count, using: &random)
        let other = Int.random(in: 0..<lines.count, using: &random)
        switch self {
        case .duplicateLine: lines.insert(lines[at], at: other)
        case .removeLine: lines.remove(at: at)
        case .swapLines: lines.swapAt(at, other)
        case .indentLine: lines[at] = [UInt8](repeating: 0x20, count: Int.random(in: 1...9, using: &random)) + lines[at]
        default:
            guard let colon = lines[at].firstIndex(of: 0x3a) else { break }
            lines[at].insert(0x78, at: Int.random(in: 0...colon, using: &random))
        }
        return Array(lines.joined(separator: [0x0a]))
    }

    private static func deep(_ random: inout SeededGenerator) -> [UInt8] {
        let open = ["[", "{", "{a: ", "- ", "? ", "[[", "&a [", "\n- ", "!!seq ["].randomElement(using: &random) ?? "["
        let depth = [60, 70, 400, 3000, 30_000].randomElement(using: &random) ?? 60
        return Array(String(repeating: open, count: depth).utf8)
    }

    private static let bomb =
        "x0: &x0 [a, a, a]\n"
        + (1..<40).map { "x\($0): &x\($0) {a: *x\($0 - 1), b: *x\($0 - 1)}\n" }.joined()
}
