/// A package version in the order of deb-version(7): epoch, upstream version, revision, with `~` before everything.
package struct DebianVersion: Comparable, Sendable {
    private let epoch: [UInt8]
    private let upstream: [UInt8]
    private let revision: [UInt8]

    package init(_ text: String) {
        var rest = Array(text.utf8)
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            epoch = Array(rest[..<colon])
            rest = Array(rest[(colon + 1)...])
        } else {
            epoch = []
        }
        if let dash = rest.lastIndex(of: UInt8(ascii: "-")) {
            upstream = Array(rest[..<dash])
            revision = Array(rest[(dash + 1)...])
        } else {
            upstream = rest
            revision = []
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.order(to: right) < 0 }

    /// `1.0` and `1.0-0` and `0:1.0` are one version.
    package static func == (left: Self, right: Self) -> Bool { left.order(to: right) == 0 }

    private func order(to other: Self) -> Int {
        for (mine, others) in [(epoch, other.epoch), (upstream, other.upstream), (revision, other.revision)] {
            let order = Self.compare(mine, others)
            if order != 0 { return order }
        }
        return 0
    }

    /// Runs of other characters and runs of digits in turn.
    private static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var (l, r) = (left[...], right[...])
        while !l.isEmpty || !r.isEmpty {
            while l.first.map({ !isDigit($0) }) ?? false || r.first.map({ !isDigit($0) }) ?? false {
                let (a, b) = (weight(l.first), weight(r.first))
                if a != b { return a - b }
                l = l.dropFirst()
                r = r.dropFirst()
            }
            let (a, b) = (number(&l), number(&r))
            if a.count != b.count { return a.count - b.count }
            if let (x, y) = zip(a, b).first(where: { $0 != $1 }) { return Int(x) - Int(y) }
        }
        return 0
    }

    private static func number(_ text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = text.prefix(while: isDigit)
        text = text.dropFirst(digits.count)
        return digits.drop { $0 == UInt8(ascii: "0") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// The end, and a digit, come after `~` and before letters; letters before the rest.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) ? Int(byte) : Int(byte) + 256
    }
}
