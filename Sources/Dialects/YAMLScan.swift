import CYaml
import Model

/// One pass over the YAML parser's events before nodes are made of them. Making nodes recurses, compares keys whole and
/// stops at the first key that is there twice; here nothing recurses, so depth, aliases and keys are checked first.
struct YAMLScan {
    /// A list or a map that is open where the scan stands.
    private struct Collection {
        var isMap: Bool
        var isKeyNext: Bool
        var anchor: String?
        var keys: Set<String> = []
    }

    private let text: String
    private let problems: YAMLProblems
    private var open: [Collection] = []
    private var nodes = 0
    private var aliases = 0
    private var documents = 0
    private var anchors: Set<String> = []

    private init(_ text: String, _ problems: YAMLProblems) {
        self.text = text
        self.problems = problems
    }

    /// Whether the text is one YAML document within the limits; the problems say why not.
    static func check(_ text: String, _ problems: YAMLProblems) -> Bool {
        var scan = YAMLScan(text, problems)
        scan.run()
        return !problems.hasErrors
    }

    private mutating func run() {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            return problems.error(Place(line: 1, column: 1), "there is not enough memory to read the file")
        }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        var copy = text
        copy.withUTF8 { bytes in
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(&parser, &event) == 1 else { return report(parser) }
                let ends = event.type == YAML_STREAM_END_EVENT || !take(event)
                yaml_event_delete(&event)
                if ends { return }
            }
        }
    }

    /// False where the scan must not go on.
    private mutating func take(_ event: yaml_event_t) -> Bool {
        let place = Place(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            return require(documents == 1, place, "the file has a second YAML document")
        case YAML_SCALAR_EVENT:
            if let anchor = event.data.scalar.anchor { anchors.insert(Self.text(anchor)) }
            if takesKey() { add(key: event, place) }
        case YAML_ALIAS_EVENT:
            if takesKey() { problems.error(place, "a key must be a word") }
            guard take(alias: event, place) else { return false }
        case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT:
            if takesKey() { problems.error(place, "a key must be a word") }
            let isMap = event.type == YAML_MAPPING_START_EVENT
            let anchor = isMap ? event.data.mapping_start.anchor : event.data.sequence_start.anchor
            open.append(Collection(isMap: isMap, isKeyNext: isMap, anchor: anchor.map { Self.text($0) }))
            guard require(open.count <= YAMLLoad.deepest, place, "this is nested too deeply") else { return false }
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            // Only now can an alias mean it: no collection holds itself.
            if let anchor = open.removeLast().anchor { anchors.insert(anchor) }
            return true
        default: return true
        }
        nodes += 1
        return require(nodes <= YAMLLoad.mostNodes, place, "the file has too many values")
    }

    private mutating func take(alias event: yaml_event_t, _ place: Place) -> Bool {
        aliases += 1
        let name = event.data.alias.anchor.map { Self.text($0) } ?? ""
        if !anchors.contains(name) {
            problems.error(place, "the alias '*\(YAMLLoad.quoted(name))' has no anchor before it")
        }
        let most = YAMLLoad.mostAliases
        return require(aliases <= most, place, "the file has more than \(most) aliases")
    }

    private static func text(_ name: UnsafeMutablePointer<yaml_char_t>) -> String {
        String(decodingCString: name, as: UTF8.self)
    }

    private func require(_ condition: Bool, _ place: Place, _ message: String) -> Bool {
        if !condition { problems.error(place, message) }
        return condition
    }

    /// Whether the node that comes is a key, and what the one after it is.
    private mutating func takesKey() -> Bool {
        guard let last = open.indices.last, open[last].isMap else { return false }
        defer { open[last].isKeyNext.toggle() }
        return open[last].isKeyNext
    }

    private mutating func add(key event: yaml_event_t, _ place: Place) {
        let scalar = event.data.scalar
        let key = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        guard !open[open.count - 1].keys.insert(key).inserted else { return }
        problems.error(place, "the key '\(YAMLLoad.quoted(key))' is there twice")
    }

    private func report(_ parser: yaml_parser_t) {
        let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // The parser notices what is missing only after the last line.
        let line = min(Int(parser.problem_mark.line), lines.count - 1)
        let column = min(Int(parser.problem_mark.column), lines[line].unicodeScalars.count)
        problems.error(
            Place(line: line + 1, column: column + 1), "the YAML is malformed: \(YAMLLoad.oneLine(problem))")
    }
}
