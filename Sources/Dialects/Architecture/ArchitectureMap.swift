import Model
import Yams

/// A map of an architecture file by key, with what its merge keys (`<<`) bring.
struct ArchitectureMap {
    struct Entry {
        var key: String
        var place: Place
        var node: Node
    }

    let place: Place
    /// The whole as it stands in the file.
    let node: Node
    private(set) var entries: [Entry] = []

    init(_ mapping: Node.Mapping, of node: Node, _ problems: ArchitectureProblems) {
        self.node = node
        place = YAMLLoad.place(node.mark)
        add(mapping, depth: 0, problems)
    }

    subscript(_ key: String) -> Node? { entries.first { $0.key == key }?.node }

    /// What stands in the map itself comes before what it merges.
    private mutating func add(_ mapping: Node.Mapping, depth: Int, _ problems: ArchitectureProblems) {
        var merged: [Node] = []
        for (key, value) in mapping where !problems.diagnostics.isFull {
            let keyPlace = YAMLLoad.place(key.mark)
            guard case .scalar(let scalar) = key else {
                problems.error(
                    .unreadable, keyPlace, "a key must be a word",
                    known: "Failed to load path: \(problems.diagnostics.file)")
                continue
            }
            if scalar.string == "<<", scalar.style == .plain {
                if case .sequence(let list) = value { merged += list } else { merged.append(value) }
            } else if self[scalar.string] == nil {
                entries.append(Entry(key: scalar.string, place: keyPlace, node: value))
            }
        }
        for other in merged where depth < YAMLLoad.deepest && entries.count <= YAMLLoad.mostNodes {
            if case .mapping(let mapping) = other { add(mapping, depth: depth + 1, problems) }
        }
    }

    /// Says which keys have no meaning here; they are left out.
    func warnOfOthers(than known: [String], elsewhere: [String: String] = [:], _ problems: ArchitectureProblems) {
        for entry in entries where !known.contains(entry.key) {
            let guess = NearestName.to(entry.key, among: known).map { "; did you mean '\($0)'?" }
            problems.warn(
                entry.place,
                "the key '\(YAMLLoad.quoted(entry.key))' has no meaning here and is left out"
                    + (elsewhere[entry.key].map { "; " + $0 } ?? guess ?? ""))
        }
    }
}
