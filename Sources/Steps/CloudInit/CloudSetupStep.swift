import DiskFormats
import Engine
import Glibc
package import Model
import SystemPackage
import Tooling

/// Boots a copy of a disk once, so that cloud-init changes it as a seed says. The disk itself is only read.
///
/// Done is what three witnesses say: the probe, with its token, that cloud-init is at its end; QEMU, that the guest itself
/// switched the machine off; and result.json on the disk, read without mounting it.
struct CloudSetupStep {
    static let disk = "disk.raw"
    static let record = "cloud-init.json"

    let action: CloudSetupAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let base = try context.input("disk")
        let files = try seedFiles()
        let findings = try await SetupFindings.read(base, isGiven: false, environment: environment, context: context)
        if findings.isReadable {
            guard findings.hasCloudInit else { throw SetupFailure.noCloudInit.error() }
            guard !findings.isSwitchedOff else { throw SetupFailure.switchedOff.error() }
        }
        let verdict = await AcceleratorProbe(runner: environment.runner, tools: environment.tools)
            .verdict(cache: environment.cache, scratch: context.scratch)
        warn(verdict, findings, context)
        let evidence = environment.logs.appending("cloud-setup-\(getpid())-\(UInt32.random(in: 0...0xffff))")
        let attempt = CloudSetupAttempt(
            action: action, environment: environment, files: files, before: findings, evidence: evidence)
        do {
            try await run(attempt, base, verdict.accelerator, context)
            ScratchFolder.removeFlat(evidence.string)
        } catch {
            if Task.isCancelled { ScratchFolder.removeFlat(evidence.string) }
            throw error
        }
    }

    private func seedFiles() throws -> [SeedFile.Kind: [UInt8]] {
        try action.files.mapValues { digest in
            guard let path = environment.localFiles[digest] else {
                throw FactoryError(.internal, "the file \(digest) for cloud-init is not known")
            }
            return try WholeFile.bytes(path)
        }
    }

    private func warn(_ verdict: AcceleratorVerdict, _ findings: SetupFindings, _ context: StepContext) {
        if verdict.accelerator == .tcg {
            context.report.warn(
                "there is no KVM: the guest is emulated, which takes minutes"
                    + (action.processors > 1 ? ", and has one processor" : ""))
        }
        if action.hypervisor == .libvirt {
            context.report.warn("the machine is libvirt's and reaches what its description says")
            if let path = environment.monitorSocket {
                context.report.warn("libvirt keeps the monitors of its machines: there is none at \(path)")
            }
        }
        if !findings.isReadable {
            let content =
                findings.problem.map { "the root filesystem is damaged (\($0))" }
                ?? "\(findings.content ?? "the root filesystem") cannot be read without mounting it"
            context.report.warn("\(content): the guest itself is asked how cloud-init ended")
        }
    }

    /// Tries once more without KVM what KVM may have failed.
    private func run(
        _ attempt: CloudSetupAttempt, _ base: FilePath, _ accelerator: Accelerator, _ context: StepContext
    ) async throws {
        do {
            return try await attempt.run(on: base, accelerator, context)
        } catch let failure as SetupFailure where accelerator == .kvm && failure.accuses {
            context.report.warn("with KVM the guest failed (\(failure.text)); it is tried once more without")
        } catch let failure as SetupFailure {
            throw failure.error(evidence: attempt.evidence)
        }
        do {
            try await attempt.run(on: base, .tcg, context)
        } catch let failure as SetupFailure {
            throw failure.error(evidence: attempt.evidence)
        }
    }
}

/// What a seed did to an image.
package struct CloudSetupRecord: Hashable, Sendable, Codable {
    /// Where cloud-init's result was read.
    package enum Witness: String, Hashable, Sendable, Codable {
        /// On the disk, without mounting it.
        case disk
        /// The host cannot read the disk: the guest sent it.
        case guest
        /// There was none: cloud-init did not run.
        case none
    }

    /// From the start of the machine to its end.
    package var seconds: Double
    package var accelerator: String
    /// cloud-init's own word, such as `done` or `degraded done`; nil where it was not asked.
    package var status: String?
    package var datasource: String
    package var errors: [String]
    /// By level: `WARNING`, `DEPRECATED`.
    package var recoverableErrors: [String: [String]]
    package var witness: Witness
    /// To the disk, by the guest.
    package var written: ByteCount
    /// Of the guest's network; nil where it had none or was open.
    package var traffic: GuestTraffic?
    /// What the guest itself reset at its end, where the host cannot; else nil.
    package var reset: [ResetReport.Entry]?
}
