import Model

/// Reads the keys of one section, and tells what keeps a value from being used. A key that nobody reads may be broken.
struct INISection {
    /// A value with everything replaced, and where it is written.
    struct Value {
        var text: String
        var place: INIPlace
    }

    let name: String
    let configuration: INIConfiguration
    let problems: INIProblems

    init(name: String, _ configuration: INIConfiguration, _ problems: INIProblems) {
        self.name = name
        self.configuration = configuration
        self.problems = problems
    }

    /// Of the section's header.
    var place: INIPlace { configuration.sections[name]?.place ?? configuration.defaults.place }

    /// Whether the section or the defaults have the key, be its value empty.
    func has(_ key: String) -> Bool { configuration.option(key, in: name) != nil }

    /// Whether there is something to start an installer from.
    var hasMedium: Bool { Self.hasMedium(name, configuration) }

    static func hasMedium(_ name: String, _ configuration: INIConfiguration) -> Bool {
        func has(_ key: String) -> Bool { configuration.option(key, in: name) != nil }
        return has("installer_image") || has("initrd") && has("linux")
    }

    /// The value of a key; nil if there is none, or if a problem was told.
    func read(_ key: String) -> Value? {
        guard let option = configuration.option(key, in: name) else { return nil }
        do {
            guard let text = try INIInterpolation(configuration: configuration).value(of: key, in: name) else {
                return nil
            }
            let forbidden = text.unicodeScalars.first { $0 != "\n" && $0 != "\t" && INIProblems.isControl($0) }
            if let forbidden {
                let code = String(forbidden.value, radix: 16, uppercase: true)
                problems.error(option.value.place, "the value of '\(key)' has the control character U+\(code)")
                return nil
            }
            return Value(text: text, place: option.value.place)
        } catch {
            problems.error(error.place, error.message)
            return nil
        }
    }

    /// The value of a key as one line; nil also if it is empty, which takes an inherited one back.
    func line(_ key: String) -> Value? {
        guard let value = read(key), !value.text.isEmpty else { return nil }
        guard !value.text.contains("\n") else {
            problems.error(value.place, "'\(key)' takes one line")
            return nil
        }
        return value
    }

    /// Whether there is no such key, or nothing in it with everything replaced. A broken value is not nothing.
    func isEmpty(_ key: String) -> Bool {
        do {
            return try INIInterpolation(configuration: configuration).value(of: key, in: name)?.isEmpty ?? true
        } catch {
            return false
        }
    }

    /// The parts between blanks and line ends.
    func words(_ key: String) -> [String] {
        read(key)?.text.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }

    func flag(_ key: String) -> Bool {
        guard let value = read(key) else { return false }
        switch value.text.lowercased() {
        case "1", "yes", "true", "on": return true
        case "0", "no", "false", "off": return false
        default:
            problems.error(
                value.place, "Not a boolean: \(INIProblems.quoted(value.text)); '\(key)' takes True or False")
            return false
        }
    }

    /// One of a few words; nil if the key is not there or a problem was told.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, _ type: Choice.Type) -> Choice? {
        guard let value = line(key) else { return nil }
        if let choice = Choice(rawValue: value.text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        problems.error(
            value.place,
            "'\(INIProblems.quoted(value.text))' is no value of '\(key)'; choose from "
                + names.joined(separator: ", ") + Self.guess(value.text, names))
        return nil
    }

    func size(_ key: String) -> (size: ByteCount, value: Value)? {
        guard let value = line(key) else { return nil }
        guard let size = ByteCount(iniSize: value.text) else {
            problems.error(
                value.place,
                "Failed to parse bytes from '\(INIProblems.quoted(value.text))'. Please use SI or binary prefixes for "
                    + "bytes (e.g. '2 GB' or '512 MiB').")
            return nil
        }
        return (size, value)
    }

    static func guess(_ name: String, _ names: [String]) -> String {
        NearestName.to(name.lowercased(), among: names).map { "; did you mean '\($0)'?" } ?? ""
    }
}

/// Keys that nothing reads and no value refers to, where their names are nearly those of known ones.
enum INIUnknownKeys {
    /// To look for near names takes time; nobody has written so many.
    private static let mostKeys = 200

    static func warn(in section: INISection, _ problems: INIProblems) {
        let known = INIKeys.image.map(\.name)
        let references = referredKeys(section.configuration)
        let others = section.configuration.keys(of: section.name).lazy.filter {
            !known.contains($0) && !references.contains($0)
        }
        for key in others.prefix(mostKeys) {
            guard let near = NearestName.to(key, among: known),
                let option = section.configuration.option(key, in: section.name)
            else { continue }
            problems.warn(option.place, "nothing reads the key '\(INIProblems.quoted(key))'; did you mean '\(near)'?")
        }
    }

    /// The names between `${` and `}` in all values, without sections.
    private static func referredKeys(_ configuration: INIConfiguration) -> Set<String> {
        let sections = [configuration.defaults] + configuration.sections.values
        var found: Set<String> = []
        for option in sections.flatMap({ section in section.keys.compactMap { section[$0] } }) {
            for part in option.value.text.split(separator: "$") where part.first == "{" {
                let name = part.dropFirst().prefix { $0 != "}" }
                found.insert((name.split(separator: ":").last ?? name).string.lowercased())
            }
        }
        return found
    }
}
