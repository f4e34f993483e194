import Model
import SystemPackage

/// A guest that was not set up, before it is told where the evidence is.
struct SetupFailure: Error, Sendable {
    var reason: CloudSetupFailure
    var text: String
    /// What to do, if that is more than to look at the evidence.
    var remedy: String?
    /// Whether the accelerator may be to blame.
    var accuses = false

    init(_ reason: CloudSetupFailure, _ text: String, remedy: String? = nil, accuses: Bool = false) {
        self.reason = reason
        self.text = text
        self.remedy = remedy
        self.accuses = accuses
    }

    init(_ failure: GuestSession.Failure) {
        accuses = failure.accuses
        remedy = failure.remedy
        text = failure.reason
        switch failure.kind {
        case .late:
            reason = .timeout
            remedy = "see what it was doing, or give it more time"
        case .stuck: reason = .timeout
        case .told: reason = failure.reason.contains("panicked") ? .guestPanic : .bootFailed
        case .poweredOff: reason = .earlyPowerOff
        case .restarted: reason = .guestReset
        case .hostDisk:
            reason = .diskFull
            remedy = "free some space for the store"
        case .machine: reason = .machineDied
        }
    }

    /// With what the guest said before, which may say more than its end.
    func explained(by clues: Set<BootSign.Clue>) -> SetupFailure {
        guard clues.contains(.diskFull), [.timeout, .earlyPowerOff, .guestReset].contains(reason) else { return self }
        return SetupFailure(.diskFull, "the guest's disk is full", remedy: "give the image a larger disk")
    }

    /// For users: the reason's word, and where everything is that helps.
    func error(evidence: FilePath? = nil) -> FactoryError {
        let remedies = [remedy, evidence.map { "see \($0)" }].compactMap { $0 }
        return FactoryError(
            .failed, "\(reason.rawValue): \(text)", remedy: remedies.isEmpty ? nil : remedies.joined(separator: "; "),
            log: evidence?.appending(VirtualMachine.serialLog).string)
    }
}

extension SetupFailure {
    static let ignoredSeed = SetupFailure(
        .noDatasource, "the guest is up, and its cloud-init did not read the seed",
        remedy: "let 'datasource_list' in the image's /etc/cloud have NoCloud")
    static let earlyPowerOff = SetupFailure(
        .earlyPowerOff, "the guest switched itself off before cloud-init was done",
        remedy: "take away what switches it off: the machine goes off by itself when cloud-init is done")
    static let restarted = SetupFailure(
        .guestReset, "the guest restarted, though it should only be switched off",
        remedy: "take away what restarts it, such as 'power_state' or 'package_reboot_if_required'")

    static func stays(_ clocks: GuestClocks) -> SetupFailure {
        SetupFailure(
            .noShutdown, "cloud-init is done, and the guest did not switch itself off within \(clocks.shutdownGrace)",
            remedy: "see what keeps it from shutting down")
    }

    static let noCloudInit = SetupFailure(
        .noCloudInit, "the image has no cloud-init", remedy: "take an image with cloud-init, or install it there")
    static let switchedOff = SetupFailure(
        .noCloudInit, "the image has cloud-init switched off", remedy: "remove /etc/cloud/cloud-init.disabled there")
}
