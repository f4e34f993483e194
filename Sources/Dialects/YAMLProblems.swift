import Model

/// Line and column, from 1.
struct Place: Hashable, Comparable {
    var line: Int
    var column: Int

    static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// Collects problems of one file: each once, and no more than a person reads.
final class YAMLProblems {
    private static let most = 100
    let file: String
    private var known: Set<Diagnostic> = []
    private(set) var hasErrors = false

    init(file: String) { self.file = file }

    func error(_ place: Place, _ message: String) {
        hasErrors = true
        add(.error, place, message)
    }

    /// Whether more problems would not be told: then there is no point in looking for them.
    var isFull: Bool { known.count > Self.most }

    func warn(_ place: Place, _ message: String) { add(.warning, place, message) }

    private func add(_ severity: Diagnostic.Severity, _ place: Place, _ message: String) {
        guard !isFull else { return }
        let text = known.count < Self.most ? message : "there are more problems: mend the first ones"
        known.insert(Diagnostic(file: file, line: place.line, column: place.column, severity, text))
    }

    var sorted: [Diagnostic] { known.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) } }
}
