import Model

/// The variables of a definition: `${name}` stands for a value, `$${` for the characters `${`.
struct NativeVariables {
    private(set) var values: [String: String] = [:]

    static let namePattern = "[A-Za-z_][A-Za-z0-9_]*"

    static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first < 0x80 else { return false }
        let isWord = text.utf8.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5f
        }
        return isWord && !(first >= 0x30 && first <= 0x39)
    }

    mutating func declare(_ name: String, _ value: String) { values[name] = value }

    /// The text with its variables replaced. With `keepingUnknown`, what is not declared stays as it is, for it may be
    /// the shell's; else it is a problem, and there is no text.
    func replaced(
        in text: String, at place: Place, keepingUnknown: Bool, _ problems: YAMLProblems
    ) -> String? {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result = ""
        var isSound = true
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") {
                let name = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end])
                if let value = values[name] {
                    result += value
                } else {
                    if !keepingUnknown { undefined(name, place, problems) }
                    isSound = isSound && keepingUnknown
                    result += rest[...end]
                }
                rest = rest[rest.index(after: end)...]
            } else {
                if rest.hasPrefix("${"), !keepingUnknown {
                    problems.error(place, "'${' has no '}'; write $${ for the characters ${")
                    isSound = false
                }
                result.append("$")
                rest = rest.dropFirst()
            }
            if result.utf8.count > YAMLLoad.largestFile {
                problems.error(place, "the text is larger than 1 MiB with its variables replaced")
                return nil
            }
        }
        return isSound ? result + rest : nil
    }

    private func undefined(_ name: String, _ place: Place, _ problems: YAMLProblems) {
        guard Self.isName(name) else {
            problems.error(
                place, "'\(YAMLLoad.quoted(name))' is no name of a variable; write $${ for the characters ${")
            return
        }
        let near = NearestName.to(name, among: values.keys.sorted()).map { "; did you mean '\($0)'?" }
        problems.error(
            place, "the variable '\(YAMLLoad.quoted(name))' is not declared" + (near ?? "; add it to variables:"))
    }
}
