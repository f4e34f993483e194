import Model
import Yams

/// YAML nodes against the table of keys: every value of the right kind, every text of the right form, every key known.
struct NativeCheck {
    let problems: NativeProblems
    let variables: NativeVariables
    private let budget = Budget()

    private final class Budget {
        var nodes = 0
    }

    init(problems: NativeProblems, variables: NativeVariables) {
        self.problems = problems
        self.variables = variables
    }

    /// The value, or nil where a problem was reported.
    func value(_ node: Node, _ shape: Shape, depth: Int = 0, keepingUnknown: Bool = false) -> NativeValue? {
        let place = NativeLoad.place(node.mark)
        budget.nodes += 1
        guard budget.nodes <= NativeLoad.mostNodes, depth <= NativeLoad.deepest else {
            problems.error(
                place, depth > NativeLoad.deepest ? "this is nested too deeply" : "the file has too many values")
            return nil
        }
        if let tag = explicitTag(node) {
            problems.error(place, "the tag '\(NativeLoad.oneLine(tag))' is not supported")
            return nil
        }
        switch (shape, node) {
        case (.text, .scalar(let scalar)), (.choice, .scalar(let scalar)), (.flag, .scalar(let scalar)):
            return text(scalar, shape, place, keepingUnknown)
        case (.list(let element), .sequence(let sequence)):
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

    private func text(_ scalar: Node.Scalar, _ shape: Shape, _ place: Place, _ keepingUnknown: Bool) -> NativeValue? {
        let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
        guard !isNull else {
            problems.error(place, "expected \(shape.expectation), found nothing")
            return nil
        }
        let before = problems.diagnostics.count
        let text = variables.replaced(
            in: scalar.string, at: place, keepingUnknown: keepingUnknown, problems)
        guard problems.diagnostics.count == before else { return nil }
        switch shape {
        case .text(let rule) where !rule.accepts(text):
            let example = rule.example.map { ", such as \($0)" } ?? ""
            problems.error(place, "'\(Self.quoted(text))' is not \(rule.what)\(example)")
            return nil
        case .choice(let names) where !names.contains(text):
            problems.error(place, "'\(Self.quoted(text))' is not \(shape.expectation)\(Self.guess(text, names))")
            return nil
        case .flag where text != "true" && text != "false":
            problems.error(place, "'\(Self.quoted(text))' is not true or false")
            return nil
        default: return .text(text, place)
        }
    }

    private func map(_ mapping: Node.Mapping, _ keys: [ShapeKey], _ place: Place, _ depth: Int) -> NativeValue? {
        var entries: [(key: String, keyPlace: Place, value: NativeValue)] = []
        var present: Set<String> = []
        for (keyNode, valueNode) in mapping {
            let keyPlace = NativeLoad.place(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                problems.error(keyPlace, "a key must be a word")
                continue
            }
            guard let key = keys.first(where: { $0.name == scalar.string }) else {
                let guess = Self.guess(scalar.string, keys.map(\.name))
                let known = guess.isEmpty ? "; known here: " + keys.map(\.name).joined(separator: ", ") : guess
                problems.error(keyPlace, "unknown key '\(Self.quoted(scalar.string))'\(known)")
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

    private func explicitTag(_ node: Node) -> String? {
        let (tag, standard): (String, String) =
            switch node {
            case .scalar(let scalar): (scalar.tag.description, "tag:yaml.org,2002:str")
            case .mapping(let mapping): (mapping.tag.description, "tag:yaml.org,2002:map")
            case .sequence(let sequence): (sequence.tag.description, "tag:yaml.org,2002:seq")
            case .alias: ("alias", "")
            }
        // Without a tag of its own a node is resolved to one of YAML's own, or none.
        return tag.isEmpty || tag == "!" || tag == standard || tag.hasPrefix("tag:yaml.org,2002:") ? nil : tag
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
        case .scalar(let scalar): "'\(quoted(scalar.string))'"
        case .sequence: "a list"
        case .mapping: "a map"
        case .alias: "an alias"
        }
    }

    private static func guess(_ name: String, _ names: [String]) -> String {
        NearestName.to(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
    }

    static func quoted(_ text: String) -> String {
        let line = NativeLoad.oneLine(text)
        return line.count > 60 ? line.prefix(60) + "…" : line
    }
}
