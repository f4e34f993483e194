/// The sections of all configuration files together, a later file's keys over an earlier one's.
struct INIConfiguration: Sendable {
    /// The section whose keys every other one inherits.
    static let defaultSection = "DEFAULT"

    struct Section: Sendable {
        var place: INIPlace
        /// In the order in which they were first written.
        private(set) var keys: [String] = []
        private var options: [String: INIOption] = [:]

        init(place: INIPlace) { self.place = place }

        subscript(key: String) -> INIOption? { options[key] }

        /// A key that is there already keeps its place in the order.
        mutating func set(_ option: INIOption) {
            if options.updateValue(option, forKey: option.key) == nil { keys.append(option.key) }
        }

        mutating func append(_ line: INIText, _ place: INIPlace, to key: String) {
            options[key]?.value.append(line, place)
        }
    }

    private(set) var defaults = Section(place: INIPlace(file: "image-factory.conf", line: 1, column: 1))
    private(set) var sections: [String: Section] = [:]
    /// Names of sections in the order in which they were first written, without that of the defaults.
    private(set) var names: [String] = []

    /// Whether there is such a section; that of the defaults always is.
    func contains(_ section: String) -> Bool { section == Self.defaultSection || sections[section] != nil }

    mutating func addSection(_ name: String, _ place: INIPlace) {
        if name == Self.defaultSection, defaults.keys.isEmpty { defaults.place = place }
        guard !contains(name) else { return }
        sections[name] = Section(place: place)
        names.append(name)
    }

    mutating func set(_ option: INIOption, in section: String) {
        if section == Self.defaultSection {
            defaults.set(option)
        } else {
            sections[section]?.set(option)
        }
    }

    mutating func append(_ line: INIText, _ place: INIPlace, to key: String, in section: String) {
        if section == Self.defaultSection {
            defaults.append(line, place, to: key)
        } else {
            sections[section]?.append(line, place, to: key)
        }
    }

    /// The section's own option, else the inherited one.
    func option(_ key: String, in section: String) -> INIOption? {
        guard section != Self.defaultSection else { return defaults[key] }
        guard let own = sections[section] else { return nil }
        return own[key] ?? defaults[key]
    }

    /// All keys of a section: inherited ones first, an overridden one at its inherited place.
    func keys(of section: String) -> [String] {
        let own = sections[section]?.keys ?? []
        return defaults.keys + own.filter { defaults[$0] == nil }
    }
}
