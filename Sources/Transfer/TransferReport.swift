/// Where a transfer tells how it goes. Calls come from any task.
package struct TransferReport: Sendable {
    /// Bytes that are here and all that there will be, if that is known. After an interruption it may start anew.
    package var progress: @Sendable (_ received: UInt64, _ total: UInt64?) -> Void
    /// A line for the log.
    package var log: @Sendable (String) -> Void
    /// A line that the user may want to see: what is called, and what came of it.
    package var note: @Sendable (String) -> Void
    /// A line that the user should see.
    package var warn: @Sendable (String) -> Void

    /// - Parameter note: as `log` by default.
    package init(
        progress: @escaping @Sendable (_ received: UInt64, _ total: UInt64?) -> Void = { _, _ in },
        log: @escaping @Sendable (String) -> Void = { _ in }, note: (@Sendable (String) -> Void)? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.progress = progress
        self.log = log
        self.note = note ?? log
        self.warn = warn
    }
}
