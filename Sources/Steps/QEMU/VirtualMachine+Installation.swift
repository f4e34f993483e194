import Tooling

extension VirtualMachine {
    /// What to do about an installer that left no system.
    static let wholeSystem = "let the answer file install a system with its boot loader onto the whole of /dev/vda"

    /// How an installation ended well.
    struct Installed: Hashable, Sendable {
        /// From the start of the processors to the end of the power.
        var time: Duration
        var saidFinished: Bool
        /// Whether the guest asked for a restart rather than for the power to go off.
        var restarted: Bool
        /// To the disks.
        var writtenBytes: Int64
    }

    /// Lets an installer work until it has switched the machine off.
    ///
    /// - Parameters:
    ///   - saysFinished: whether the end counts only after the word on the second serial port.
    ///   - check: what is wrong with the disk of an installer that does not say it; nil if nothing is.
    /// Throws `GuestFailure` where the guest is at fault.
    func install(
        saysFinished: Bool, by runner: some CommandRunning,
        onSerial: @escaping @Sendable ([UInt8]) -> Void, onReport: @escaping @Sendable ([UInt8]) -> Void,
        check: () async throws -> String?
    ) async throws -> Installed {
        try await withRunning(by: runner, onSerial: onSerial, onReport: onReport) { guest in
            do {
                let installed = try await end(of: guest, saysFinished: saysFinished)
                if !saysFinished, let problem = try await check() {
                    throw GuestSession.Failure(kind: .poweredOff, reason: problem, remedy: Self.wholeSystem)
                }
                try await guest.switchOff()
                return installed
            } catch let ended as GuestSession.Failure {
                let clues = guest.recorder.clues.union(guest.report?.recorder.clues ?? [])
                throw await failure(ended.explained(by: clues, clocks: clocks), of: guest)
            }
        }
    }

    private func end(of guest: RunningMachine, saysFinished: Bool) async throws -> Installed {
        let ends: Set<BootSign> = [.poweredOff, .restarted]
        let start = ContinuousClock.now
        var working = GuestSession(guest: guest, clocks: clocks)
        var sign = try await working.wait(for: saysFinished ? ends.union([.installationFinished]) : ends).sign
        let saidFinished = sign == .installationFinished
        if saidFinished { sign = try await lastSign(of: guest, ends) }
        if saysFinished, !saidFinished {
            throw GuestSession.Failure(
                kind: sign == .restarted ? .restarted : .poweredOff,
                reason: "it \(sign == .restarted ? "restarted" : "switched itself off") before it was done")
        }
        if saidFinished, sign == .restarted {
            throw GuestSession.Failure.restartedAtEnd
        }
        let blocks = (try? await guest.monitor.blockStatistics()) ?? []
        return Installed(
            time: ContinuousClock.now - start, saidFinished: saidFinished, restarted: sign == .restarted,
            writtenBytes: blocks.reduce(0) { $0 &+ $1.writtenBytes })
    }

    /// The end of the power of a guest that has said that it is done.
    private func lastSign(of guest: RunningMachine, _ ends: Set<BootSign>) async throws -> BootSign {
        var ending = GuestSession(
            guest: guest, clocks: GuestClocks(total: clocks.shutdownGrace, noProgress: clocks.shutdownGrace * 2))
        do {
            return try await ending.wait(for: ends).sign
        } catch let failure as GuestSession.Failure where failure.kind == .late {
            throw GuestSession.Failure(
                kind: .late,
                reason: "it said that it is done and did not switch itself off within \(clocks.shutdownGrace)",
                remedy: "let the answer file end with a power-off")
        }
    }
}

extension GuestSession.Failure {
    static let restartedAtEnd = GuestSession.Failure(
        kind: .restarted, reason: "it restarted at its end, though it should have switched itself off",
        remedy: "let the answer file end with a power-off")

    /// The failure of an installer with what it said about it, and with what to do.
    func explained(by clues: Set<BootSign.Clue>, clocks: GuestClocks) -> GuestSession.Failure {
        var failure = self
        if clues.contains(.diskFull), [.late, .stuck, .poweredOff, .restarted, .told].contains(kind) {
            failure.reason = "the guest's disk is full"
            failure.remedy = "give the image a larger disk"
            failure.accuses = false
            return failure
        }
        guard remedy == nil else { return failure }
        switch kind {
        case .late:
            failure.reason = "it did not end within \(clocks.total)"
            failure.remedy = "see what it was doing"
        case .stuck: failure.remedy = "it may wait for an answer that the answer file does not give"
        case .poweredOff, .restarted: failure.remedy = "see what it complained of, and mend the answer file"
        case .hostDisk: failure.remedy = "free some space for the store"
        case .told, .machine: break
        }
        return failure
    }
}

extension SerialMatcher {
    /// The line by which an installer says that it is done.
    static let installationFinished = "image-factory: installation finished"

    static let clues: [(text: String, clue: BootSign.Clue)] = [
        ("No space left on device", .diskFull), ("not enough free space", .diskFull),
    ]

    /// Of an installer's console.
    ///
    /// - Parameter isAttended: whether somebody may answer its questions.
    static func installer(isAttended: Bool) -> Rules {
        Rules(failures: isAttended ? kernelFailures : kernelFailures + questions, clues: clues, isScreen: true)
    }

    /// Of an installer's second serial port, where its log may be too.
    static let report = Rules(clues: clues, finished: installationFinished)

    private static let kernelFailures = [
        Rule(text: "Kernel panic", reason: "the kernel panicked"),
        Rule(text: "dracut:/#", isPrompt: true, reason: "the installer ended in its emergency shell"),
        Rule(text: "Entering emergency mode", reason: "the installer ended in its emergency shell"),
        Rule(text: "(initramfs)", isPrompt: true, reason: "the installer did not find its medium"),
    ]

    /// What an installer shows when it waits for somebody.
    private static let questions = [
        // Of the Debian installer without windows.
        Rule(text: "!! ERROR:", reason: "the installer failed"),
        Rule(text: "[Press enter to continue]", isPrompt: true, reason: "the installer waits for somebody"),
        Rule(text: "nstallation step failed", reason: "a step of the installer failed"),
        Rule(text: "Bad archive mirror", reason: "the installer cannot use its mirror"),
        Rule(text: "Failed to retrieve the preconfiguration file", reason: "the installer did not find its answers"),
        Rule(text: "No root file system is defined", reason: "the installer was not told where to install"),
        Rule(text: "Pane is dead", reason: "the installer's own program ended"),
        Rule(text: "Non interactive installation failed", reason: "the installer needs an answer"),
        Rule(text: "Command line mode requires all choices", reason: "the installer needs an answer"),
        Rule(text: "An unknown error has occurred", reason: "the installer failed"),
        Rule(
            text: "Continue with autoinstall? (yes|no)", isPrompt: true,
            reason: "the installer asks whether it may start"),
    ]
}
