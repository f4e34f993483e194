import Model

/// A value of a definition with its place; texts are as they are written, variables replaced.
indirect enum NativeValue {
    case text(String, Place)
    case list([NativeValue], Place)
    case map([(key: String, keyPlace: Place, value: NativeValue)], Place)

    var place: Place {
        switch self {
        case .text(_, let place), .list(_, let place), .map(_, let place): place
        }
    }
}

/// A checked map, by key. What is missing or was a problem is nil: the problem is reported already.
struct NativeMap {
    let place: Place
    private let entries: [(key: String, keyPlace: Place, value: NativeValue)]

    init(_ entries: [(key: String, keyPlace: Place, value: NativeValue)], _ place: Place) {
        self.entries = entries
        self.place = place
    }

    subscript(_ key: String) -> NativeValue? { entries.first { $0.key == key }?.value }

    func text(_ key: String) -> String? { self[key].flatMap(\.text) }

    func place(_ key: String) -> Place { self[key]?.place ?? place }

    func map(_ key: String) -> NativeMap? { self[key].flatMap(\.map) }

    func list(_ key: String) -> [NativeValue] { self[key].map(\.elements) ?? [] }

    func texts(_ key: String) -> [String] { list(key).compactMap(\.text) }
}

extension NativeValue {
    var text: String? {
        if case .text(let text, _) = self { return text }
        return nil
    }

    var elements: [NativeValue] {
        if case .list(let list, _) = self { return list }
        return []
    }

    var map: NativeMap? {
        if case .map(let entries, let place) = self { return NativeMap(entries, place) }
        return nil
    }
}
