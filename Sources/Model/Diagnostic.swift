/// A problem in an input file, at its place.
package struct Diagnostic: Hashable, Sendable, Codable, CustomStringConvertible {
    package enum Severity: String, Sendable, Codable {
        case error
        case warning
    }

    package var file: String
    /// Counted from 1.
    package var line: Int
    /// Counted from 1, in characters.
    package var column: Int
    package var severity: Severity
    package var message: String

    package init(file: String, line: Int, column: Int, _ severity: Severity = .error, _ message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.severity = severity
        self.message = message
    }

    /// `FILE:line:column: error: message`
    package var description: String { "\(file):\(line):\(column): \(severity.rawValue): \(message)" }
}

/// All the problems that keep an input from being used, at once.
package struct InvalidInput: Error, Sendable, CustomStringConvertible {
    package var diagnostics: [Diagnostic]
    /// What the exit status tells of it: a dialect of an older program keeps that program's.
    package var code: FactoryError.Code

    package init(_ diagnostics: [Diagnostic], code: FactoryError.Code = .definition) {
        self.diagnostics = diagnostics
        self.code = code
    }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// Finds the known name that a mistyped one probably means.
package enum NearestName {
    /// The candidate that is at most two edits (a third of the length, for short names) away, if there is one.
    package static func to(_ name: String, among candidates: some Sequence<String>) -> String? {
        let limit = max(1, min(2, name.count / 3))
        let ranked = candidates.map { ($0, distance(Array(name), Array($0))) }.filter { $0.1 <= limit }
        return ranked.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    /// The Levenshtein distance, with a transposition as one edit.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard left.count <= 200, right.count <= 200 else { return .max }
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(
                    previous[column + 1] + 1, current[column] + 1, previous[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                    best = min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            before = previous
            previous = current
        }
        return previous[right.count]
    }
}
