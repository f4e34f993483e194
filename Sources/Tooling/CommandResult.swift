/// How a program ended and what it said.
package struct CommandResult: Sendable, Hashable {
    package enum Ending: Sendable, Hashable, CustomStringConvertible {
        case exited(Int32)
        /// The number of the signal. For a contained program also an exit status above 128, which says the same.
        case signalled(Int32)

        /// `exit status 2` or `signal 9`.
        package var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let signal): "signal \(signal)"
            }
        }
    }

    package var ending: Ending
    /// The beginning of standard output, as it came.
    package var standardOutput: [UInt8]
    /// Whether there was more output than the runner keeps.
    package var standardOutputIsTruncated: Bool
    /// The last lines of both streams in the order in which they came.
    package var lastLines: [String]

    package init(
        ending: Ending, standardOutput: [UInt8] = [], standardOutputIsTruncated: Bool = false, lastLines: [String] = []
    ) {
        self.ending = ending
        self.standardOutput = standardOutput
        self.standardOutputIsTruncated = standardOutputIsTruncated
        self.lastLines = lastLines
    }

    package var succeeded: Bool { ending == .exited(0) }

    /// Standard output as text, without the line break at its end.
    package var text: String {
        var text = String(decoding: standardOutput, as: UTF8.self)
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }

    /// The line that says best why the program failed: the last one that speaks of an error, else the last one.
    package var reason: String? {
        let lines = lastLines.filter { line in line.contains { !$0.isWhitespace } }
        let signs = ["error", "fatal", "fail", "cannot", "can't", "could not", "no such", "denied", "not found"]
        return lines.last { line in
            let lowercased = line.lowercased()
            return line.hasPrefix("E: ") || signs.contains { lowercased.contains($0) }
        } ?? lines.last
    }
}
