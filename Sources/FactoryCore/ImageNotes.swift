import Transfer

/// Who hears of the work on one image, line by line.
package struct ImageNotes: Sendable {
    /// What is done.
    package var note: @Sendable (String) -> Void
    /// What a person has to know although the work goes on: a line with the word `warning`, and in front of it the place in
    /// a file where it has one.
    package var warn: @Sendable (String) -> Void

    package init(
        note: @escaping @Sendable (String) -> Void = { _ in }, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.note = note
        self.warn = warn
    }

    var transfer: TransferReport { TransferReport(log: note, warn: { warn("warning: " + $0) }) }
}
