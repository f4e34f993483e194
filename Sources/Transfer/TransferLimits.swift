package import Model

/// When a transfer is given up.
package struct TransferLimits: Sendable, Hashable {
    /// For a connection to be made.
    package var connecting: Duration
    /// Without a byte.
    package var stall: Duration
    /// In a row of which none has brought the transfer forward.
    package var attempts: Int
    /// Before the second attempt; it doubles from one to the next, up to half a minute.
    package var pause: Duration
    package var redirects: Int
    /// The most bytes that a source may have; nil: as many as there is room for.
    package var size: ByteCount?

    package init(
        connecting: Duration = .seconds(30), stall: Duration = .seconds(60), attempts: Int = 5,
        pause: Duration = .seconds(1), redirects: Int = 10, size: ByteCount? = nil
    ) {
        self.connecting = connecting
        self.stall = stall
        self.attempts = attempts
        self.pause = pause
        self.redirects = redirects
        self.size = size
    }

    /// The pause after so many failures in a row. What a server asks for counts, up to a minute.
    func pause(after failures: Int, asked: Duration? = nil) -> Duration {
        var pause = pause
        for _ in 1..<max(1, min(failures, 16)) { pause = min(pause * 2, .seconds(30)) }
        return max(pause, min(asked ?? .zero, .seconds(60)))
    }
}

extension Duration {
    /// Whole seconds, rounded up, at least one.
    var wholeSeconds: Int64 { max(1, components.seconds + (components.attoseconds > 0 ? 1 : 0)) }
}
