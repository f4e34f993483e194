import Model

/// Collects problems of configuration files and of options of the command line: each once, in their order.
final class INIProblems {
    private static let most = 100
    private var known: Set<Diagnostic> = []
    private var files: [String] = []
    private(set) var hasErrors = false

    /// - Parameter files: in the order in which their problems are told.
    init(files: [String] = []) { self.files = files }

    func error(_ place: INIPlace, _ message: String) {
        hasErrors = true
        add(.error, place, message)
    }

    func warn(_ place: INIPlace, _ message: String) { add(.warning, place, message) }

    /// The next file: its problems come after those of the ones before.
    func begin(_ file: String) { files.append(file) }

    private func add(_ severity: Diagnostic.Severity, _ place: INIPlace, _ message: String) {
        guard known.count <= Self.most else { return }
        let text = known.count < Self.most ? message : "there are more problems: mend the first ones"
        known.insert(Diagnostic(file: place.file, line: place.line, column: place.column, severity, text))
    }

    var sorted: [Diagnostic] {
        func rank(_ file: String) -> Int { files.firstIndex(of: file) ?? files.count }
        return known.sorted {
            (rank($0.file), $0.line, $0.column, $0.message) < (rank($1.file), $1.line, $1.column, $1.message)
        }
    }

    /// The nearest of the first names of a file: to look at all of a large one would take long.
    static func nearest(_ name: String, among names: [String]) -> String? {
        NearestName.to(name, among: names.prefix(500))
    }

    /// What a file says, for a message: one line, short, and nothing that commands a terminal.
    static func quoted(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(121).map { isControl($0) ? "\u{fffd}" : $0 }
        return clean.count > 120 ? clean.prefix(120).string + "…" : clean.string
    }

    /// Controls, and characters that change the direction of text or end a line.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }
}
