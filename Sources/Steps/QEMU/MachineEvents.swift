import Model
import Synchronization

/// What QEMU tells by itself while a machine runs.
final class MachineEvents: Sendable {
    private static let most = 1000
    private let power = Mutex<BootSign?>(nil)
    private let told = Mutex<[String]>([])

    /// How the machine's power went off, once it has: `.poweredOff` or `.restarted`.
    var end: BootSign? { power.withLock { $0 } }

    /// The first of the events, as JSON.
    var lines: [String] { told.withLock { $0 } }

    /// Reads the monitor's events until its connection ends.
    func follow(_ monitor: QMPClient) {
        Task { [events = monitor.events] in
            for await event in events {
                record(event)
                guard event.name == "SHUTDOWN" else { continue }
                let sign = event.data["reason"]?.string == "guest-reset" ? BootSign.restarted : .poweredOff
                power.withLock { $0 = $0 ?? sign }
            }
        }
    }

    private func record(_ event: QMPEvent) {
        let line = try? Canonical.text(JSONValue.object(["event": .string(event.name), "data": event.data]))
        told.withLock { if let line, $0.count < Self.most { $0.append(line) } }
    }
}
