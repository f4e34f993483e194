/// A value to be written as YAML.
indirect enum YAMLValue {
    case text(String)
    case number(Int)
    case flag(Bool)
    /// A scalar that is written exactly so.
    case verbatim(String)
    case list([YAMLValue])
    case map([String: YAMLValue])
}

/// YAML as PyYAML's `dump` writes it: block style, two spaces, sorted keys, lists not indented. One value always gives
/// the same bytes.
enum YAMLText {
    static func document(_ value: YAMLValue) -> String {
        var text = ""
        switch value {
        case .map(let map) where !map.isEmpty: write(map, indent: 0, isFirstLineOpen: false, to: &text)
        case .list(let list) where !list.isEmpty: write(list, indent: 0, to: &text)
        default: text = scalar(value) + "\n"
        }
        return text
    }

    /// - Parameter isFirstLineOpen: whether the first key stands behind the dash of a list.
    private static func write(_ map: [String: YAMLValue], indent: Int, isFirstLineOpen: Bool, to text: inout String) {
        let keys = map.keys.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        for (at, key) in keys.enumerated() {
            if !(at == 0 && isFirstLineOpen) { text += blanks(indent) }
            text += quoted(key) + ":"
            switch map[key] {
            case .map(let inner)? where !inner.isEmpty:
                text += "\n"
                write(inner, indent: indent + 2, isFirstLineOpen: false, to: &text)
            case .list(let inner)? where !inner.isEmpty:
                text += "\n"
                write(inner, indent: indent, to: &text)
            case let value?: text += " " + scalar(value) + "\n"
            case nil: break
            }
        }
    }

    private static func write(_ list: [YAMLValue], indent: Int, to text: inout String) {
        for element in list {
            text += blanks(indent) + "- "
            switch element {
            case .map(let map) where !map.isEmpty: write(map, indent: indent + 2, isFirstLineOpen: true, to: &text)
            case .list(let inner) where !inner.isEmpty:
                var nested = ""
                write(inner, indent: indent + 2, to: &nested)
                text += nested.dropFirst(indent + 2)
            default: text += scalar(element) + "\n"
            }
        }
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

    private static func scalar(_ value: YAMLValue) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        case .verbatim(let text): text
        case .list: "[]"
        case .map: "{}"
        }
    }

    /// A text, without quotes where it needs none.
    static func quoted(_ text: String) -> String {
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value > 0x7e }) { return escaped(text) }
        return isPlain(text) ? text : "'" + text.replacing("'", with: "''") + "'"
    }

    private static func isPlain(_ text: String) -> Bool {
        // "=" and "<<" have types of their own.
        guard case .text = PythonScalar(plain: text), text != "=", text != "<<", let first = text.first,
            !"#,[]{}&*!|>'\"%@`".contains(first), first != " ", text.last != " ", !text.hasPrefix("---"),
            !text.hasPrefix("...")
        else { return false }
        if "?:-".contains(first), text.count == 1 || text.dropFirst().first == " " { return false }
        return !text.contains(": ") && !text.hasSuffix(":") && !text.contains(" #")
    }

    private static func escaped(_ text: String) -> String {
        let names: [Unicode.Scalar: String] = [
            "\0": "0", "\u{7}": "a", "\u{8}": "b", "\t": "t", "\n": "n", "\u{b}": "v", "\u{c}": "f", "\r": "r",
            "\u{1b}": "e", "\"": "\"", "\\": "\\", "\u{85}": "N", "\u{a0}": "_", "\u{2028}": "L", "\u{2029}": "P",
        ]
        var result = "\""
        for scalar in text.unicodeScalars {
            if let name = names[scalar] {
                result += "\\" + name
            } else if (0x20...0x7e).contains(scalar.value) {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                result += "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
