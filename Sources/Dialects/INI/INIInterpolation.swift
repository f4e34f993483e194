/// Replaces `${key}` and `${section:key}` in values, by the rules of ConfigParser's ExtendedInterpolation.
struct INIInterpolation {
    /// ConfigParser's own limit.
    private static let deepest = 10
    /// Of a value with everything replaced. A few lines can otherwise ask for more than fits into memory.
    private static let longest = 1 << 20
    /// How often something is replaced in one value.
    private static let mostReplacements = 100_000

    /// Why a value cannot be read.
    struct Failure: Error {
        /// Named as ConfigParser's exceptions are.
        enum Kind: String {
            case syntax = "InterpolationSyntaxError"
            case missingOption = "InterpolationMissingOptionError"
            case depth = "InterpolationDepthError"
            case size
        }

        var kind: Kind
        var place: INIPlace
        /// As ConfigParser says it, with what to do about it.
        var message: String
        /// The key that was referred to, where there is none.
        var missing: (section: String, key: String)?
    }

    let configuration: INIConfiguration
    /// Told of each reference, whether it can be resolved or not.
    var onReference: (String, String) -> Void = { _, _ in }

    /// The value of a key with everything replaced, nil if there is no such key.
    func value(of key: String, in section: String) throws(Failure) -> String? {
        guard let option = configuration.option(key, in: section) else { return nil }
        var result = Result()
        try replace(in: option, section, depth: 1, &result)
        return result.text.string
    }

    private struct Result {
        var text: INIText = []
        var replacements = 0
    }

    private func replace(
        in option: INIOption, _ section: String, depth: Int, _ result: inout Result
    ) throws(Failure) {
        let text = option.value.text
        func failure(_ kind: Failure.Kind, at offset: Int, _ message: String) -> Failure {
            Failure(kind: kind, place: option.value.place(at: offset), message: message)
        }
        guard depth <= Self.deepest else {
            throw failure(
                .depth, at: 0,
                "Recursion limit exceeded in value substitution: option '\(INIProblems.quoted(option.key))' in section "
                    + "'\(INIProblems.quoted(section))' contains an interpolation key which cannot be substituted in "
                    + "\(Self.deepest) steps. Raw value: '\(INIProblems.quoted(text.string))'")
        }
        var at = 0
        while at < text.count {
            let dollar = text[at...].firstIndex(of: "$") ?? text.count
            result.text += text[at..<dollar]
            guard dollar < text.count else { break }
            let rest = text[dollar...]
            switch rest.dropFirst().first {
            case "$":
                result.text.append("$")
                at = dollar + 2
            case "{":
                guard let close = rest.firstIndex(of: "}"), close > dollar + 2 else {
                    throw failure(
                        .syntax, at: dollar,
                        "bad interpolation variable reference '\(INIProblems.quoted(rest.string))'")
                }
                at = close + 1
                try follow(text[(dollar + 2)..<close], in: option, section, dollar, text, depth, &result)
            default:
                throw failure(
                    .syntax, at: dollar,
                    "'$' must be followed by '$' or '{', found: '\(INIProblems.quoted(rest.string))'")
            }
            guard result.text.count <= Self.longest, result.replacements <= Self.mostReplacements else {
                throw failure(.size, at: dollar, "the value is too large with everything replaced in it")
            }
        }
    }

    /// Appends what `${reference}` stands for.
    private func follow(
        _ reference: ArraySlice<Unicode.Scalar>, in option: INIOption, _ section: String, _ dollar: Int,
        _ text: INIText, _ depth: Int, _ result: inout Result
    ) throws(Failure) {
        let parts = reference.split(separator: ":", omittingEmptySubsequences: false)
        let place = option.value.place(at: dollar)
        guard parts.count <= 2 else {
            let rest = text[(reference.endIndex + 1)...].string
            throw Failure(
                kind: .syntax, place: place, message: "More than one ':' found: '\(INIProblems.quoted(rest))'")
        }
        let target = parts.count == 2 ? parts[0].string : section
        let key = parts[parts.count - 1].string.lowercased()
        onReference(target, key)
        result.replacements += 1
        guard let found = configuration.option(key, in: target) else {
            throw Failure(
                kind: .missingOption, place: place,
                message: "Bad value substitution: option '\(INIProblems.quoted(option.key))' in section "
                    + "'\(INIProblems.quoted(section))' contains an interpolation key "
                    + "'\(INIProblems.quoted(reference.string))' which is not a valid option name. "
                    + "Raw value: '\(INIProblems.quoted(text.string))'" + hint(key, target), missing: (target, key))
        }
        let value = found.value.text
        if value.contains("$") {
            try replace(in: found, target, depth: depth + 1, &result)
        } else {
            result.text += value
        }
    }

    /// Where a value that is no file's has a `$` that begins nothing: ConfigParser takes no such value. Nil if nowhere.
    static func strayDollar(in text: INIText) -> Int? {
        var at = 0
        while let dollar = text[at...].firstIndex(of: "$") {
            let rest = text[dollar...]
            switch rest.dropFirst().first {
            case "$": at = dollar + 2
            case "{":
                guard let close = rest.firstIndex(of: "}"), close > dollar + 2 else { return dollar }
                at = close + 1
            default: return dollar
            }
        }
        return nil
    }

    private func hint(_ key: String, _ section: String) -> String {
        guard configuration.contains(section) else {
            return INIProblems.nearest(section, among: configuration.names).map {
                "; did you mean the section '\($0)'?"
            }
                ?? "; there is no section '\(INIProblems.quoted(section))'"
        }
        return INIProblems.nearest(key, among: configuration.keys(of: section)).map { "; did you mean '\($0)'?" } ?? ""
    }
}
