/// What PyYAML makes of a plain scalar: gen-vm-image reads its files by it, and its messages and pipelines show the
/// values as Python has them.
enum PythonScalar: Equatable {
    case none
    case bool(Bool)
    /// In decimal digits.
    case int(String)
    case float(Double)
    case date(String)
    case text(String)

    /// - Parameter plain: a scalar without quotes and tag.
    init(plain: String) {
        let bools = ["yes": true, "no": false, "true": true, "false": false, "on": true, "off": false]
        let isOneCase =
            plain == plain.lowercased() || plain == plain.uppercased()
            || plain == plain.prefix(1).uppercased() + plain.dropFirst().lowercased()
        if plain.isEmpty || plain == "~" || (isOneCase && plain.lowercased() == "null") {
            self = .none
        } else if isOneCase, let value = bools[plain.lowercased()] {
            self = .bool(value)
        } else if let digits = Self.integer(plain) {
            self = .int(digits)
        } else if let value = Self.float(plain) {
            self = .float(value)
        } else if plain.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/.matchingSemantics(.unicodeScalar)) != nil {
            self = .date(plain)
        } else {
            self = .text(plain)
        }
    }

    /// `<class 'int'>`
    var type: String {
        let name =
            switch self {
            case .none: "NoneType"
            case .bool: "bool"
            case .int: "int"
            case .float: "float"
            case .date: "datetime.date"
            case .text: "str"
            }
        return "<class '\(name)'>"
    }

    /// What `str()` gives.
    var string: String {
        switch self {
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let digits): digits
        case .float(let value): value.isNaN ? "nan" : "\(value)"
        case .date(let text), .text(let text): text
        }
    }

    /// What `repr()` gives.
    var representation: String {
        switch self {
        case .text(let text): return PythonText.quoted(text)
        case .date(let text):
            let numbers = text.split(separator: "-").map { $0.drop { $0 == "0" } }
            return "datetime.date(\(numbers.map { $0.isEmpty ? "0" : String($0) }.joined(separator: ", ")))"
        default: return string
        }
    }

    /// The decimal digits of an integer in any of YAML 1.1's forms. A number too large for a machine word is kept as
    /// it is written.
    private static func integer(_ text: String) -> String? {
        let forms =
            /[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*(:[0-5]?[0-9])*)/
            .matchingSemantics(.unicodeScalar)
        guard text.wholeMatch(of: forms) != nil else { return nil }
        let isNegative = text.hasPrefix("-")
        let digits = (text.hasPrefix("+") || isNegative ? text.dropFirst() : text[...]).replacing("_", with: "")
        let value: Int? =
            if digits.hasPrefix("0b") {
                Int(digits.dropFirst(2), radix: 2)
            } else if digits.hasPrefix("0x") {
                Int(digits.dropFirst(2), radix: 16)
            } else if digits.hasPrefix("0") {
                Int(digits, radix: 8)
            } else {
                digits.split(separator: ":").reduce(0 as Int?) { sum, part in
                    guard let sum, let part = Int(part) else { return nil }
                    let (product, isTooLarge) = sum.multipliedReportingOverflow(by: 60)
                    let (total, overflows) = product.addingReportingOverflow(part)
                    return isTooLarge || overflows ? nil : total
                }
            }
        guard let value else { return (isNegative ? "-" : "") + digits }
        return isNegative ? "\(-value)" : "\(value)"
    }

    private static func float(_ text: String) -> Double? {
        let forms =
            /[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?/
            .matchingSemantics(.unicodeScalar)
        if text.wholeMatch(of: forms) != nil {
            return Double(text.replacing("_", with: ""))
        }
        if text.wholeMatch(of: /[-+]?\.(inf|Inf|INF)/.matchingSemantics(.unicodeScalar)) != nil {
            return text.hasPrefix("-") ? -.infinity : .infinity
        }
        return [".nan", ".NaN", ".NAN"].contains(text) ? .nan : nil
    }
}
