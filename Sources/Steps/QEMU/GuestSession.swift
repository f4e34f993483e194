import Tooling

/// The wait for a sign of a guest, with all that may come instead.
struct GuestSession {
    /// Why the wait ended without the sign.
    struct Failure: Error {
        enum Kind: Sendable {
            /// One of the clocks ran out.
            case late
            case stuck
            /// The guest said so, or its kernel did.
            case told
            case poweredOff
            case restarted
            /// The host could not write the guest's disk.
            case hostDisk
            /// The accelerator or QEMU itself.
            case machine
        }

        var kind: Kind
        var reason: String
        var accuses = false
        /// What to do, if that is more than to look at the evidence.
        var remedy: String?
    }

    private static let glance = Duration.milliseconds(50)
    private static let look = Duration.seconds(1)
    private static let lastWords = Duration.milliseconds(200)

    private let guest: RunningMachine
    private let start = ContinuousClock.now
    private var watch: GuestWatch
    private var handled = 0

    init(guest: RunningMachine, clocks: GuestClocks) {
        self.guest = guest
        watch = GuestWatch(clocks: clocks)
    }

    /// Waits for the first wanted sign.
    mutating func wait(for wanted: Set<BootSign>) async throws -> VirtualMachine.Outcome {
        var nextLook = start
        while true {
            let hasEnded = !guest.isRunning
            let power = guest.events.end
            if let sign = try findSign(wanted) { return outcome(sign) }
            if let power {
                // What it said last may still be on its way to us.
                try await Task.sleep(for: Self.lastWords)
                if let sign = try findSign(wanted) { return outcome(sign) }
                return try end(power, wanted)
            }
            if hasEnded { return try end(wanted) }
            if ContinuousClock.now >= nextLook {
                try await inspect()
                nextLook = ContinuousClock.now + min(Self.look, watch.clocks.noProgress / 4)
            }
            try await Task.sleep(for: Self.glance)
        }
    }

    private func outcome(_ sign: BootSign) -> VirtualMachine.Outcome {
        VirtualMachine.Outcome(sign: sign, time: ContinuousClock.now - start)
    }

    private mutating func findSign(_ wanted: Set<BootSign>) throws -> BootSign? {
        let signs = guest.recorder.signs
        defer { handled = signs.count }
        for sign in signs.dropFirst(handled) {
            if wanted.contains(sign) { return sign }
            if case .failure(let reason) = sign { throw Failure(kind: .told, reason: reason) }
        }
        return guest.report?.recorder.signs.first { wanted.contains($0) }
    }

    /// What the end of the machine's power means.
    private func end(_ power: BootSign, _ wanted: Set<BootSign>) throws -> VirtualMachine.Outcome {
        if wanted.contains(power) { return outcome(power) }
        if power == .restarted { throw Failure(kind: .restarted, reason: "it restarted before it was ready") }
        throw Failure(kind: .poweredOff, reason: "it switched itself off before it was ready")
    }

    /// What the end of QEMU means.
    private func end(_ wanted: Set<BootSign>) throws -> VirtualMachine.Outcome {
        guard let result = try guest.exit.result(), !result.succeeded else {
            if wanted.contains(.poweredOff) { return outcome(.poweredOff) }
            throw Failure(kind: .poweredOff, reason: "it switched itself off or restarted before it was ready")
        }
        let reason = result.reason.map { ": \($0)" } ?? ""
        throw Failure(
            kind: .machine, reason: "QEMU ended with \(result.ending)\(reason)", accuses: guest.recorder.count == 0)
    }

    /// Asks QEMU for the state and the counters, and looks at the clocks.
    private mutating func inspect() async throws {
        let state: QMPClient.RunState
        let blocks: [QMPClient.BlockStatistics]
        do {
            state = try await guest.monitor.runState()
            blocks = try await guest.monitor.blockStatistics()
        } catch let error as QMPError {
            // QEMU may be about to end; if it is, the next round says how.
            if try await guest.exit.wait(for: .seconds(2)) { return }
            throw Failure(kind: .machine, reason: error.description)
        }
        switch state.status {
        case "internal-error":
            throw Failure(kind: .machine, reason: "the accelerator failed (internal error)", accuses: true)
        case "io-error":
            throw Failure(kind: .hostDisk, reason: "its disk could not be written; the host's disk may be full")
        case "guest-panicked": throw Failure(kind: .told, reason: "its kernel panicked")
        default: break
        }
        let progress = GuestWatch.Progress(
            serialBytes: guest.recorder.count &+ (guest.report?.recorder.count ?? 0),
            diskBytes: blocks.reduce(0) { $0 &+ $1.readBytes &+ $1.writtenBytes },
            diskOperations: blocks.reduce(0) { $0 &+ $1.operations }, networkBytes: guest.networkBytes())
        switch watch.judge(progress, at: ContinuousClock.now - start) {
        case .fine: break
        case .late:
            throw Failure(
                kind: .late, reason: "it was not ready within \(watch.clocks.total)",
                accuses: progress.serialBytes == 0)
        case .stuck:
            throw Failure(
                kind: .stuck,
                reason: "it did nothing for \(watch.clocks.noProgress): no serial output, no disk traffic",
                accuses: true)
        }
    }
}
