/// How long a guest may take.
package struct GuestClocks: Hashable, Sendable {
    /// From its start to the sign that is waited for.
    package var total: Duration
    /// With neither serial output nor disk traffic, nor traffic of the network where that is counted.
    package var noProgress: Duration
    /// From the power button to the end; then it is switched off.
    package var shutdownGrace: Duration

    package init(
        total: Duration = .seconds(600), noProgress: Duration = .seconds(180), shutdownGrace: Duration = .seconds(90)
    ) {
        self.total = total
        self.noProgress = noProgress
        self.shutdownGrace = shutdownGrace
    }
}

/// Decides when a guest has taken too long. Pure: the time comes in.
struct GuestWatch: Sendable {
    /// Counters that grow while a guest does something.
    struct Progress: Hashable, Sendable {
        var serialBytes: Int
        var diskBytes: Int64
        var diskOperations: Int64
        var networkBytes: UInt64 = 0
    }

    enum Verdict: Hashable, Sendable {
        case fine
        case late
        case stuck
    }

    let clocks: GuestClocks
    private var last: Progress?
    private var lastChange = Duration.zero

    init(clocks: GuestClocks) { self.clocks = clocks }

    /// What to make of the counters at a time since the guest's start.
    mutating func judge(_ progress: Progress, at time: Duration) -> Verdict {
        if progress != last {
            last = progress
            lastChange = time
        }
        if time >= clocks.total { return .late }
        return time - lastChange >= clocks.noProgress ? .stuck : .fine
    }
}
