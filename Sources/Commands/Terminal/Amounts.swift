import Model

/// How far a step has come: `12.3/45.0 MiB`, `12/34 packages`, `37 %`.
struct Progress: Hashable, Sendable {
    var done: UInt64
    /// Nil while it is not known.
    var total: UInt64?
    /// Nil for bytes.
    var unit: String?

    /// 0 to 1, or nil while the total is not known.
    var fraction: Double? {
        guard let total else { return nil }
        return total == 0 ? 1 : min(1, Double(done) / Double(total))
    }

    var percentage: String? { fraction.map { "\(Int($0 * 100)) %" } }

    var text: String {
        if unit == "%", let percentage { return percentage }
        guard let total else { return unit.map { "\(done) \($0)" } ?? ByteCount(done).description }
        if let unit { return "\(done)/\(total) \(unit)" }
        return Self.bytes(min(done, total), of: total)
    }

    /// The text with the fewest characters that still tells something.
    var shortText: String { percentage ?? text }

    /// As wide as `text` ever gets, so that columns stand still.
    var widest: Int {
        guard let total else { return TextWidth.of(text) }
        return TextWidth.of(unit == "%" ? "100 %" : Progress(done: total, total: total, unit: unit).text)
    }

    /// Both numbers in the unit of the total.
    private static func bytes(_ done: UInt64, of total: UInt64) -> String {
        let names = ["B", "KiB", "MiB", "GiB", "TiB"]
        var at = 0
        while at < names.count - 1, Double(total >> (10 * UInt64(at))) >= 1023.95 { at += 1 }
        let factor = Double(UInt64(1) << (10 * UInt64(at)))
        let decimals = at > 0 && Double(total) / factor < 99.95
        func number(_ value: UInt64) -> String {
            let tenths = UInt64((Double(value) / factor * 10).rounded(.down))
            return decimals ? "\(tenths / 10).\(tenths % 10)" : "\(tenths / 10)"
        }
        return "\(number(done))/\(number(total)) \(names[at])"
    }
}

/// Times for people.
enum Elapsed {
    /// `12.3 s`, `1 min 12 s`, `2 h 05 min`.
    static func exact(_ seconds: Double) -> String {
        let tenths = UInt64(max(0, min(seconds, 1e9)) * 10 + 0.5)
        return tenths < 600 ? "\(tenths / 10).\(tenths % 10) s" : whole(Double(tenths) / 10)
    }

    /// The same without tenths, for a time that runs.
    static func whole(_ seconds: Double) -> String {
        let count = UInt64(max(0, min(seconds, 1e9)))
        switch count {
        case 0..<60: return "\(count) s"
        case 60..<3600: return "\(count / 60) min \(two(count % 60)) s"
        default: return "\(count / 3600) h \(two(count / 60 % 60)) min"
        }
    }

    /// Seconds with one decimal for a column: `  12.3`.
    static func stamp(_ seconds: Double) -> String {
        let tenths = UInt64(max(0, min(seconds, 1e9)) * 10 + 0.5)
        return TextWidth.pad("\(tenths / 10).\(tenths % 10)", columns: 6, leading: true)
    }

    private static func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
