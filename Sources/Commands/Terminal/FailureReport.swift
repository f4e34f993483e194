import Glibc
import Model

/// Tells why a build failed: the error, what to do about it, and the end of the failed step's log.
package struct FailureReport: Sendable {
    private let error: any Error
    private let tail: LogTail?

    /// - Parameter tail: of the failed step: `TailKeeper.failed`.
    package init(_ error: any Error, tail: LogTail? = nil) {
        self.error = error
        self.tail = tail
    }

    /// The exit status of a process that ends with this error.
    package static func status(of error: any Error) -> Int32 {
        switch error {
        case let error as FactoryError: error.status ?? error.code.rawValue
        case let invalid as InvalidInput: invalid.code.rawValue
        case is CancellationError: 128 + SIGINT
        default: FactoryError.Code.internal.rawValue
        }
    }

    /// Writes the report.
    package func write(to descriptor: Int32 = STDERR_FILENO) {
        let lines = lines(TerminalTraits(descriptor: descriptor))
        _ = TextOutput(descriptor: descriptor).write(lines.map { $0 + "\n" }.joined())
    }

    /// The report's lines.
    package func lines(_ traits: TerminalTraits) -> [String] {
        styledLines(unicode: traits.unicode).map { $0.rendered(color: traits.color) }
    }

    private func styledLines(unicode: Bool) -> [StyledText] {
        func text(_ raw: String) -> String { Printable.line(raw, unicode: unicode) }
        if let invalid = error as? InvalidInput { return invalid.diagnostics.map { diagnostic($0, text) } }
        // Who cancelled knows it, and the steps say it.
        if error is CancellationError { return [] }
        let failure = error as? FactoryError ?? FactoryError(.internal, "\(error)")
        var lines = headline(failure, text)
        if let remedy = failure.remedy { lines.append(labelled("hint:", .cyan, text(remedy))) }
        if let tail, !tail.lines.isEmpty {
            lines.append(StyledText("The log of \(text(tail.step)) ends with:"))
            lines += tail.lines.map { StyledText("    " + text($0), .dim) }
        }
        if let log = failure.log { lines.append(labelled("log:", .bold, text(log))) }
        return lines
    }

    /// A message is one line by contract; more lines are kept apart all the same.
    private func headline(_ failure: FactoryError, _ text: (String) -> String) -> [StyledText] {
        let activity = failure.activity.map { "Failure encountered while: \($0): " } ?? ""
        let parts = (activity + failure.message).split(separator: "\n", omittingEmptySubsequences: true)
        return parts.enumerated().map { at, part in
            at == 0 ? labelled("error:", .alarm, text(String(part))) : StyledText("       " + text(String(part)))
        }
    }

    private func diagnostic(_ diagnostic: Diagnostic, _ text: (String) -> String) -> StyledText {
        var line = StyledText(text("\(diagnostic.file):\(diagnostic.line):\(diagnostic.column):"), .bold)
        let style: StyledText.Style = diagnostic.severity == .error ? .alarm : .yellow
        line.append(" ")
        line.append(labelled(diagnostic.severity.rawValue + ":", style, text(diagnostic.message)))
        return line
    }

    private func labelled(_ label: String, _ style: StyledText.Style, _ text: String) -> StyledText {
        var line = StyledText(label, style)
        line.append(" " + text)
        return line
    }
}
