import DiskFormats
import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// One boot of a copy of the disk.
struct CloudSetupAttempt {
    static let inside = "/mnt/machine"
    static let diskInside = "/mnt/disk.raw"

    let action: CloudSetupAction
    let environment: StepEnvironment
    let files: [SeedFile.Kind: [UInt8]]
    /// Of the disk before the boot.
    let before: SetupFindings
    let evidence: FilePath

    /// What a machine needs.
    struct Parts {
        var probe: SetupProbe?
        /// The bytes of the disk for cloud-init.
        var seed: [UInt8]?
        var disk: FilePath
        var accelerator: Accelerator
    }

    /// Throws `SetupFailure` where the guest is at fault; then there is evidence.
    func run(on base: FilePath, _ accelerator: Accelerator, _ context: StepContext) async throws {
        let disk = context.output.appending(CloudSetupStep.disk)
        try await copy(base, to: disk)
        guard mkdir(evidence.string, 0o700) == 0 || errno == EEXIST else {
            throw FileFailure.error(Errno(rawValue: errno), "make", evidence)
        }
        var parts = Parts(probe: nil, seed: nil, disk: disk, accelerator: accelerator)
        if !files.isEmpty {
            let probe = SetupProbe(lastCommands: resetsInside ? ResetScript(action.reset).text : "")
            parts.probe = probe
            parts.seed = try seed(with: probe)
        }
        let receiver = parts.probe.map { ProbeReceiver($0) }
        do {
            let (end, traffic) = try await boot(parts, receiver, context)
            try await judge(end, receiver, traffic, parts, context)
        } catch let failure as SetupFailure {
            throw await explain(failure, disk, context)
        }
    }

    /// The host cannot edit the disk.
    private var resetsInside: Bool { action.reset != nil && !before.isReadable && before.problem == nil }

    private func copy(_ base: FilePath, to disk: FilePath) async throws {
        unlink(disk.string)
        do {
            try await BlockingWork.run { checkCancellation in
                _ = try SparseFile.copy(from: base, to: disk) { _, _ in try checkCancellation() }
            }
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the image cannot be copied: \(error)")
        }
        try Containment.handOver(disk)
    }

    private func seed(with probe: SetupProbe) throws -> [UInt8] {
        var files = files
        files[.userData] = probe.userData(files[.userData] ?? [])
        return try NoCloudSeed.image(.iso, files, instance: NoCloudSeed.newInstance())
    }

    // MARK: the machine

    private func boot(
        _ parts: Parts, _ receiver: ProbeReceiver?, _ context: StepContext
    ) async throws -> (VirtualMachine.SetUp, GuestTraffic?) {
        let console = try SetupConsole(context.report, copy: environment.consoleCopy)
        guard action.hypervisor == .qemu else {
            let setup = LibvirtSetup(
                action: action, environment: environment, evidence: evidence,
                clocks: .setup(environment, parts.accelerator))
            return (
                try await setup.run(parts, receiver, patience(parts.accelerator), console, context), nil
            )
        }
        return try await ScratchFolder.with(in: context.scratch) { folder in
            try await withNetwork(in: folder, context) { network in
                let machine = try prepare(parts, network, in: folder)
                try? WholeFile.write(
                    "\(Command(machine.program, try machine.machine.arguments()))\n",
                    evidence.appending("qemu.cmdline"))
                return try await MonitorRelay.with(environment.monitorSocket, folder: folder) {
                    try await machine.setUp(
                        receiver, patience: patience(parts.accelerator), by: environment.runner
                    ) { console.append($0) }
                }
            }
        }
    }

    private func withNetwork<Value>(
        in folder: FilePath, _ context: StepContext, _ body: (GuestNetwork) async throws -> Value
    ) async throws -> (Value, GuestTraffic?) {
        let kind: Netinstall.Network
        switch action.network {
        case .none: return (try await body(.none), nil)
        case .proxy: kind = .proxy
        case .open: kind = .open
        }
        return try await GuestNetwork.with(
            kind, folder: folder, inside: Self.inside, environment: environment, context: context, body: body)
    }

    private func prepare(_ parts: Parts, _ network: GuestNetwork, in folder: FilePath) throws -> VirtualMachine {
        try Containment.handOver(folder)
        let firmware = try GuestFirmware.prepare(
            action.firmware == .uefi ? .uefi : .bios, in: folder, at: Self.inside, tools: environment.tools)
        var machine = Machine(
            accelerator: parts.accelerator, processor: processor(parts.accelerator), memory: action.memory,
            firmware: firmware, disks: [Machine.Disk(file: Self.diskInside, format: .raw, isResult: true)],
            network: network.machine, folder: Self.inside,
            setup: Machine.Setup(
                processors: action.processors, serial: parts.seed == nil ? nil : "ds=nocloud",
                family: parts.probe?.machine ?? "image-factory", hasMonitor: environment.monitorSocket != nil))
        if let seed = parts.seed {
            let file = folder.appending("seed.iso")
            try PrivateFile.create(file, seed)
            try Containment.handOver(file)
            machine.seed = Self.inside + "/seed.iso"
        }
        var running = VirtualMachine(
            machine: machine, program: try environment.tools.require(.qemuSystem)[0].string,
            binds: [.init(source: parts.disk, target: Self.diskInside, writable: true)], folder: folder,
            network: network.containment, clocks: .setup(environment, parts.accelerator), evidence: evidence)
        running.networkBytes = network.bytes
        running.console = SerialMatcher.setup
        if let probe = parts.probe { running.reportRules = SerialMatcher.Rules(finished: probe.finishedLine) }
        return running
    }

    /// The best that there is, unless another one is asked for. Five levels of page tables cost the emulation a lot.
    private func processor(_ accelerator: Accelerator) -> String? {
        if let chosen = action.processor, chosen != "host" { return chosen }
        return accelerator == .kvm ? "host" : "max,la57=off"
    }

    private func patience(_ accelerator: Accelerator) -> Duration {
        environment.setupPatience ?? .seconds(accelerator == .kvm ? 20 : 60)
    }

    // MARK: the end

    /// What came of it, from the guest's words and from what the disk says; writes the record.
    private func judge(
        _ end: VirtualMachine.SetUp, _ receiver: ProbeReceiver?, _ traffic: GuestTraffic?, _ parts: Parts,
        _ context: StepContext
    ) async throws {
        if let receiver, receiver.report == nil {
            throw SetupFailure(.cloudInitError, "the guest said that it is done, but not what cloud-init did")
        }
        let after = try await SetupFindings.read(parts.disk, isGiven: true, environment: environment, context: context)
        let report = receiver?.report ?? ProbeReport(exit: 0, status: .null, result: .null)
        if receiver != nil, after.isReadable, after.result == nil {
            throw SetupFailure(.cloudInitError, "the guest said that it is done, and left no result.json on its disk")
        }
        var record = CloudSetupRecord(
            seconds: end.time / .seconds(1), accelerator: parts.accelerator.rawValue, datasource: "", errors: [],
            recoverableErrors: [:], witness: .none, written: ByteCount(UInt64(clamping: end.writtenBytes)),
            traffic: traffic, reset: receiver.flatMap { resetsInside ? entries($0.reset) : nil })
        if receiver != nil || after.result != nil {
            let verdict = CloudInitVerdict(
                report, result: after.isReadable ? after.result : nil, hasSeed: receiver != nil,
                degradation: action.degradation)
            if let failure = verdict.failure { throw SetupFailure(failure, verdict.reason ?? "it is not known why") }
            if let reason = verdict.reason { context.report.warn("cloud-init was degraded: \(reason)") }
            record.datasource = verdict.datasource
            record.recoverableErrors = verdict.recoverable
            record.witness = after.isReadable ? .disk : .guest
            record.status = report.status["extended_status"]?.string ?? report.status["status"]?.string
        } else {
            context.report.warn("cloud-init did not run in the guest: it found no data source")
        }
        try WholeFile.write(try Canonical.text(record), context.output.appending(CloudSetupStep.record))
    }

    /// One for each operation that was asked for, as the report of the host has them.
    private func entries(_ reset: [String: [String]]) -> [ResetReport.Entry] {
        (action.reset?.operations ?? []).map { operation in
            ResetReport.Entry(
                name: operation.rawValue, removed: reset[operation.rawValue] ?? [], note: operation.obstacle)
        }
    }

    /// Keeps what the disk says of the failure, and the disk if it is wanted.
    private func explain(_ failure: SetupFailure, _ disk: FilePath, _ context: StepContext) async -> SetupFailure {
        var failure = failure
        let after = try? await SetupFindings.read(
            disk, isGiven: true, environment: environment, context: context, logsInto: evidence)
        if failure.reason == .noDatasource, let source = after?.result?["v1"]?["datasource"]?.string,
            after?.result != before.result, !source.contains("NoCloud")
        {
            failure.text += ": its data source was '\(source)'"
        }
        if environment.keepsFailed {
            let kept = evidence.appending(CloudSetupStep.disk)
            if rename(disk.string, kept.string) == 0 || (try? SparseFile.copy(from: disk, to: kept)) != nil {
                failure.remedy = (failure.remedy.map { $0 + "; " } ?? "") + "its disk is kept"
            }
        }
        unlink(disk.string)
        return failure
    }
}

extension GuestNetwork {
    /// For machines without a network card.
    static let none = GuestNetwork(machine: .none, containment: .none, bytes: { 0 })
}

extension GuestClocks {
    /// How long cloud-init may take.
    static func setup(_ environment: StepEnvironment, _ accelerator: Accelerator) -> GuestClocks {
        if let chosen = environment.setupClocks { return chosen }
        return switch accelerator {
        case .kvm: GuestClocks(total: .seconds(1800), noProgress: .seconds(300), shutdownGrace: .seconds(120))
        case .tcg: GuestClocks(total: .seconds(10_800), noProgress: .seconds(1200), shutdownGrace: .seconds(360))
        }
    }
}

extension SetupFindings {
    /// Reads a disk in a containment: what is on it is not trusted.
    ///
    /// - Parameters:
    ///   - isGiven: whether it was handed over to contained processes.
    ///   - folder: where cloud-init's logs are put; nil: nowhere.
    static func read(
        _ disk: FilePath, isGiven: Bool, environment: StepEnvironment, context: StepContext,
        logsInto folder: FilePath? = nil
    ) async throws -> SetupFindings {
        try await ScratchFolder.with(in: context.scratch) { out in
            try Containment.handOver(out)
            var work = ContainedWork(within: .init(addressSpace: .gibi(4), processorTime: .seconds(60)))
            work.bind(disk, SetupFindingsInside.disk.string, writable: isGiven)
            work.bind(out, SetupFindingsInside.folder.string, writable: true)
            try await InsideProgram.run(
                .setupFindings(SetupFindingsInside(keepsLogs: folder != nil)), work: work, environment: environment,
                context: context, untrusted: "the image's filesystem")
            for name in folder == nil ? [] : SetupFindingsInside.logs.keys.sorted() {
                guard let folder, let bytes = try? SmallFile.read(out.appending(name)) else { continue }
                unlink(folder.appending(name).string)
                try SmallFile.create(folder.appending(name), bytes)
            }
            return try Canonical.decode(
                SetupFindings.self, from: try SmallFile.read(out.appending(SetupFindingsInside.record)))
        }
    }
}
