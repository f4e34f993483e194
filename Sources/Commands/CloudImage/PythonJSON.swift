/// One object as Python's `json.dumps(…, indent=4, sort_keys=True)` writes it.
enum PythonJSON {
    enum Value: Sendable {
        case text(String)
        case number(Int32)
        case list([String])
    }

    /// With a line break at its end.
    static func text(_ object: [String: Value]) -> String {
        let lines = object.sorted { $0.key < $1.key }.map { key, value in
            "    \(quoted(key)): " + text(value)
        }
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): "\(number)"
        case .list([]): "[]"
        case .list(let items):
            "[\n" + items.map { "        " + quoted($0) }.joined(separator: ",\n") + "\n    ]"
        }
    }

    /// A string in ASCII.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: result += "\\\""
            case 0x5c: result += "\\\\"
            case 0x08: result += "\\b"
            case 0x09: result += "\\t"
            case 0x0a: result += "\\n"
            case 0x0c: result += "\\f"
            case 0x0d: result += "\\r"
            case 0x20...0x7e: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
