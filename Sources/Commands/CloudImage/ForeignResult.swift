/// The result of a program as Python's `json.dumps(…, indent=4, sort_keys=True)` writes it.
struct ForeignResult: Sendable {
    var response: String
    var returnCode: Int32
    var verboseMessages: [String]

    /// One object, with a line break at its end.
    var text: String {
        let messages =
            verboseMessages.isEmpty
            ? "[]"
            : "[\n" + verboseMessages.map { "        " + Self.quoted($0) }.joined(separator: ",\n") + "\n    ]"
        return """
            {
                "response": \(Self.quoted(response)),
                "return_code": \(returnCode),
                "status": "\(returnCode == 0 ? "success" : "failed")",
                "verbose_messages": \(messages)
            }

            """
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
