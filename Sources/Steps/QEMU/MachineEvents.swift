import Synchronization

/// What QEMU tells by itself while a machine runs.
final class MachineEvents: Sendable {
    private let power = Mutex<BootSign?>(nil)

    /// How the machine's power went off, once it has: `.poweredOff` or `.restarted`.
    var end: BootSign? { power.withLock { $0 } }

    /// Reads the monitor's events until its connection ends.
    func follow(_ monitor: QMPClient) {
        Task { [events = monitor.events] in
            for await event in events where event.name == "SHUTDOWN" {
                let sign = event.data["reason"]?.string == "guest-reset" ? BootSign.restarted : .poweredOff
                power.withLock { $0 = $0 ?? sign }
            }
        }
    }
}
