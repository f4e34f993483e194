import Yams

/// Values as Python writes them, for messages that people and scripts know.
enum PythonText {
    /// More than a message shows is cut: aliases let a small file stand for a large value.
    private static let longest = 2000

    /// `repr()` of a YAML value.
    static func representation(_ node: Node) -> String {
        var text = ""
        write(node, &text, depth: 0)
        return text.utf8.count > longest ? text.prefix(longest) + "…" : text
    }

    /// `<class 'dict'>`
    static func type(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): value(scalar).type
        case .sequence: "<class 'list'>"
        case .mapping: "<class 'dict'>"
        case .alias: "<class 'object'>"
        }
    }

    /// `str()` of a YAML value, as `format` puts it into a message.
    static func string(_ node: Node) -> String {
        if case .scalar(let scalar) = node { return YAMLLoad.oneLine(value(scalar).string) }
        return representation(node)
    }

    static func value(_ scalar: Node.Scalar) -> PythonScalar {
        let isPlain = scalar.style == .plain && scalar.tag.description.isEmpty
        return isPlain ? PythonScalar(plain: scalar.string) : .text(scalar.string)
    }

    private static func write(_ node: Node, _ text: inout String, depth: Int) {
        guard text.utf8.count <= longest, depth <= YAMLLoad.deepest else {
            text += "…"
            return
        }
        switch node {
        case .scalar(let scalar): text += value(scalar).representation
        case .sequence(let sequence):
            text += "["
            for (at, element) in sequence.enumerated() where text.utf8.count <= longest {
                if at > 0 { text += ", " }
                write(element, &text, depth: depth + 1)
            }
            text += "]"
        case .mapping(let mapping):
            text += "{"
            for (at, (key, value)) in mapping.enumerated() where text.utf8.count <= longest {
                if at > 0 { text += ", " }
                write(key, &text, depth: depth + 1)
                text += ": "
                write(value, &text, depth: depth + 1)
            }
            text += "}"
        case .alias: text += "…"
        }
    }

    /// `repr()` of a text: in single quotes, or in double ones where that saves escapes.
    static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView([quote])
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n".unicodeScalars
            case "\t": result += "\\t".unicodeScalars
            case "\r": result += "\\r".unicodeScalars
            case "\\", quote: result += [("\\" as Unicode.Scalar), scalar]
            default:
                if YAMLLoad.isForbidden(scalar) || scalar.value == 0xad {
                    let digits = String(scalar.value, radix: 16)
                    let (mark, width) =
                        scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                    result +=
                        ("\\" + mark + String(repeating: "0", count: width - digits.count) + digits)
                        .unicodeScalars
                } else {
                    result.append(scalar)
                }
            }
        }
        result.append(quote)
        return String(result)
    }
}
