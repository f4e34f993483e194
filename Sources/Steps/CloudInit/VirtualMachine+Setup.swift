import Model
import SystemPackage
import Tooling

extension VirtualMachine {
    static let events = "qmp.jsonl"

    /// How a guest that cloud-init set up came to its end.
    struct SetUp: Hashable, Sendable {
        /// From the start of the processors to the end of the power.
        var time: Duration
        /// To the disks.
        var writtenBytes: Int64
    }

    /// Lets cloud-init work until the guest has switched the machine off.
    ///
    /// - Parameters:
    ///   - receiver: hears the probe; nil where there is no seed, and so none: then the console tells that the guest is up.
    ///   - patience: from the prompt for a login to the decision that nothing will come.
    /// Throws `SetupFailure` where the guest is at fault.
    func setUp(
        _ receiver: ProbeReceiver?, patience: Duration, by runner: some CommandRunning,
        onSerial: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> SetUp {
        do {
            return try await withRunning(
                by: runner, onSerial: onSerial, onReport: { receiver?.add($0) }
            ) { guest in
                do {
                    return try await end(of: guest, receiver, patience)
                } catch let failure as GuestSession.Failure {
                    throw await keepEvidence(SetupFailure(failure), of: guest)
                } catch let failure as SetupFailure {
                    throw await keepEvidence(failure, of: guest)
                }
            }
        } catch let failure as GuestFailure {
            throw SetupFailure(.machineDied, failure.reason, accuses: failure.accuses)
        }
    }

    private func keepEvidence(_ failure: SetupFailure, of guest: RunningMachine) async -> SetupFailure {
        _ = await self.failure(GuestSession.Failure(kind: .told, reason: failure.text), of: guest)
        try? WholeFile.write(guest.events.lines.map { $0 + "\n" }.joined(), evidence.appending(Self.events))
        return failure.explained(by: guest.recorder.clues)
    }

    private func end(
        of guest: RunningMachine, _ receiver: ProbeReceiver?, _ patience: Duration
    ) async throws -> SetUp {
        let start = ContinuousClock.now
        var session = GuestSession(guest: guest, clocks: clocks)
        if let receiver {
            try await waitForReport(&session, guest, receiver, patience)
        } else {
            try await waitForSystem(&session, guest, patience)
            try? await guest.monitor.powerDown()
        }
        try await waitForPowerOff(guest)
        let blocks = (try? await guest.monitor.blockStatistics()) ?? []
        let time = ContinuousClock.now - start
        try await guest.switchOff()
        return SetUp(time: time, writtenBytes: blocks.reduce(0) { $0 &+ $1.writtenBytes })
    }

    /// Until the probe has said that cloud-init is done.
    private func waitForReport(
        _ session: inout GuestSession, _ guest: RunningMachine, _ receiver: ProbeReceiver, _ patience: Duration
    ) async throws {
        let ends: Set<BootSign> = [.poweredOff, .restarted, .installationFinished]
        var sign = try await session.wait(for: ends.union([.loginPrompt])).sign
        if sign == .loginPrompt {
            // Our hook runs before a login is possible, so all that may be late is its word.
            let isHeard = try await poll(for: patience) {
                receiver.hasStarted || guest.events.end != nil || !guest.isRunning
            }
            guard isHeard else {
                try await guest.powerDown(grace: clocks.shutdownGrace)
                throw SetupFailure.ignoredSeed
            }
            sign = try await session.wait(for: ends).sign
        }
        switch sign {
        case .restarted: throw SetupFailure.restarted
        case .poweredOff: throw SetupFailure.earlyPowerOff
        default: break
        }
    }

    /// Until the system is up and whatever cloud-init there is has said its last word, or is not heard any more.
    private func waitForSystem(
        _ session: inout GuestSession, _ guest: RunningMachine, _ patience: Duration
    ) async throws {
        let ends: Set<BootSign> = [.poweredOff, .restarted, .cloudInitFinished]
        let sign = try await session.wait(for: ends.union([.loginPrompt])).sign
        if sign == .restarted { throw SetupFailure.restarted }
        guard sign == .loginPrompt else { return }
        var seen = guest.recorder.count
        var quiet = ContinuousClock.now + patience
        _ = try await poll(for: clocks.total) {
            if guest.recorder.count != seen {
                seen = guest.recorder.count
                quiet = ContinuousClock.now + patience
            }
            return guest.recorder.signs.contains(.cloudInitFinished) || guest.events.end != nil || !guest.isRunning
                || ContinuousClock.now > quiet
        }
    }

    /// A guest that does not go is asked to, again and again; one that stays is a failure.
    private func waitForPowerOff(_ guest: RunningMachine) async throws {
        let again = Duration.seconds(10)
        let deadline = ContinuousClock.now + clocks.shutdownGrace
        let isGone = { guest.events.end != nil || !guest.isRunning }
        while try await !poll(for: min(again, deadline - ContinuousClock.now), isGone), ContinuousClock.now < deadline {
            try? await guest.monitor.powerDown()
        }
        guard isGone() else {
            throw SetupFailure.stays(clocks)
        }
        if guest.events.end == .restarted { throw SetupFailure.restarted }
    }

    /// Whether the condition came true in time.
    private func poll(for limit: Duration, _ condition: () -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while !condition() {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(100))
        }
        return true
    }
}

extension SerialMatcher {
    /// Of a guest that cloud-init sets up.
    static let setup = Rules(failures: bootFailures, clues: clues, showsBoot: true)
}
