import Model
import Yams

/// YAML nodes against the table of keys: every value of the right kind, every text of the right form, every key known.
struct NativeCheck {
    let problems: YAMLProblems
    let variables: NativeVariables
    private let budget = Budget()

    private final class Budget {
        var nodes = 0
        /// Of all texts, as often as aliases and variables repeat them.
        var bytes = 0
        var isSpent = false
    }

    private static let mostBytes = 16 << 20
    private let patterns = Patterns()

    init(problems: YAMLProblems, variables: NativeVariables) {
        self.problems = problems
        self.variables = variables
    }

    /// The value, or nil where a problem was reported.
    func value(_ node: Node, _ shape: Shape, depth: Int = 0, keepingUnknown: Bool = false) -> NativeValue? {
        let place = YAMLLoad.place(node.mark)
        budget.nodes += 1
        guard isAffordable(depth, place) else { return nil }
        if let tag = explicitTag(node) {
            problems.error(place, "the tag '\(YAMLLoad.quoted(tag))' is not supported")
            return nil
        }
        switch (shape, node) {
        case (.text, .scalar(let scalar)), (.choice, .scalar(let scalar)), (.flag, .scalar(let scalar)):
            return text(scalar, shape, place, keepingUnknown)
        case (.list(let element, let mayBeEmpty), .sequence(let sequence)):
            if sequence.isEmpty, !mayBeEmpty { problems.error(place, "the list must not be empty") }
            return .list(
                sequence.compactMap { value($0, element, depth: depth + 1, keepingUnknown: keepingUnknown) }, place)
        case (.map(let keys), .mapping(let mapping)):
            return map(mapping, keys, place, depth)
        case (.variables, .mapping):
            return .map([], place)
        case (.either(let shapes), _):
            guard let fitting = shapes.first(where: { Self.fits(node, $0) }) else { break }
            return value(node, fitting, depth: depth, keepingUnknown: keepingUnknown)
        default: break
        }
        problems.error(place, "expected \(shape.expectation), found \(Self.kind(node))")
        return nil
    }

    /// Aliases and variables repeat values: what a small file asks for must stay small. Told once.
    private func isAffordable(_ depth: Int, _ place: Place) -> Bool {
        guard !budget.isSpent, !problems.isFull else { return false }
        if depth > YAMLLoad.deepest { problems.error(place, "this is nested too deeply") }
        if budget.nodes > YAMLLoad.mostNodes {
            problems.error(place, "the file has too many values with its aliases followed")
        }
        if budget.bytes > Self.mostBytes {
            problems.error(place, "the texts are larger than 16 MiB with their variables replaced")
        }
        budget.isSpent = budget.nodes > YAMLLoad.mostNodes || budget.bytes > Self.mostBytes
        return !budget.isSpent && depth <= YAMLLoad.deepest
    }

    private func text(_ scalar: Node.Scalar, _ shape: Shape, _ place: Place, _ keepingUnknown: Bool) -> NativeValue? {
        let isNull =
            scalar.style == .plain && scalar.tag.description.isEmpty && ["", "~", "null"].contains(scalar.string)
        guard !isNull else {
            problems.error(place, "expected \(shape.expectation), found nothing")
            return nil
        }
        guard
            let text = variables.replaced(in: scalar.string, at: place, keepingUnknown: keepingUnknown, problems)
        else { return nil }
        budget.bytes += text.utf8.count
        guard isAffordable(0, place) else { return nil }
        switch shape {
        case .text(let rule):
            return accept(text, rule, place) ? .text(text, place) : nil
        case .choice(let names) where !names.contains(text):
            problems.error(place, "'\(YAMLLoad.quoted(text))' is not \(shape.expectation)\(Self.guess(text, names))")
            return nil
        case .flag where text != "true" && text != "false":
            problems.error(place, "'\(YAMLLoad.quoted(text))' is not true or false")
            return nil
        default: return .text(text, place)
        }
    }

    private func accept(_ text: String, _ rule: TextRule, _ place: Place) -> Bool {
        guard rule.accepts(text, patterns) else {
            let example = rule.example.map { ", such as \($0)" } ?? ""
            let found = rule.mayBeSecret ? "this" : "'\(YAMLLoad.quoted(text))'"
            problems.error(place, "\(found) is not \(rule.what)\(example)")
            return false
        }
        // In double quotes YAML can write any character. Files and scripts may want most.
        let forbidden = text.unicodeScalars.first { rule.mayHaveLines ? $0 == "\0" : YAMLLoad.isForbidden($0) }
        if let forbidden {
            problems.error(place, "the character \(YAMLLoad.name(forbidden)) is not allowed here")
        }
        return forbidden == nil
    }

    private func map(_ mapping: Node.Mapping, _ keys: [ShapeKey], _ place: Place, _ depth: Int) -> NativeValue? {
        var entries: [(key: String, keyPlace: Place, value: NativeValue)] = []
        var present: Set<String> = []
        for (keyNode, valueNode) in mapping where !problems.isFull {
            let keyPlace = YAMLLoad.place(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                problems.error(keyPlace, "a key must be a word")
                continue
            }
            guard let key = keys.first(where: { $0.name == scalar.string }) else {
                let guess = Self.guess(scalar.string, keys.map(\.name))
                let known = guess.isEmpty ? "; known here: " + keys.map(\.name).joined(separator: ", ") : guess
                problems.error(keyPlace, "unknown key '\(YAMLLoad.quoted(scalar.string))'\(known)")
                continue
            }
            present.insert(key.name)
            if let value = value(
                valueNode, key.shape, depth: depth + 1, keepingUnknown: key.keepsUnknownVariables)
            {
                entries.append((key.name, keyPlace, value))
            }
        }
        for key in keys where key.isRequired && !present.contains(key.name) {
            problems.error(place, "the key '\(key.name)' is missing")
        }
        return .map(entries, place)
    }

    /// The tag of a node that says of it what it is not, or what this dialect does not know.
    private func explicitTag(_ node: Node) -> String? {
        let (tag, standard): (String, [String]) =
            switch node {
            case .scalar(let scalar): (scalar.tag.description, ["str", "int", "float", "bool"])
            case .mapping(let mapping): (mapping.tag.description, ["map"])
            case .sequence(let sequence): (sequence.tag.description, ["seq"])
            case .alias: ("alias", [])
            }
        // Without a tag of its own a node has an empty one.
        let isKnown = tag.isEmpty || tag == "!" || standard.contains { tag == "tag:yaml.org,2002:" + $0 }
        return isKnown ? nil : tag
    }

    private static func fits(_ node: Node, _ shape: Shape) -> Bool {
        switch (node, shape) {
        case (.scalar, .text), (.scalar, .choice), (.scalar, .flag), (.sequence, .list), (.mapping, .map),
            (.mapping, .variables):
            true
        default: false
        }
    }

    private static func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(YAMLLoad.quoted(scalar.string))'"
        case .sequence: "a list"
        case .mapping: "a map"
        case .alias: "an alias"
        }
    }

    private static func guess(_ name: String, _ names: [String]) -> String {
        NearestName.to(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
    }
}
