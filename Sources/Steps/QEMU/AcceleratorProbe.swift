import Glibc
import Model
import Synchronization
package import SystemPackage
package import Tooling

/// Finds out whether KVM can run a guest here. The device node proves nothing: it may open, answer and even run
/// firmware, and still never run a kernel. So a firmware of our own is run that does what a kernel does.
package struct AcceleratorProbe: Sendable {
    /// How long the firmware may take under KVM; it needs a fraction of a second.
    private static let limit = Duration.seconds(2)

    private let runner: any CommandRunning
    private let tools: ToolInventory
    private let device: String
    private let isContained: Bool

    /// - Parameters:
    ///   - device: the node of KVM; another one in tests.
    ///   - isContained: whether guests, and so the probe, run in a containment, whose rights differ from the caller's.
    package init(
        runner: any CommandRunning, tools: ToolInventory, device: String = "/dev/kvm", isContained: Bool = true
    ) {
        self.runner = runner
        self.tools = tools
        self.device = device
        self.isContained = isContained
    }

    /// The accelerator to use. What the firmware tells is kept in `cache`, a folder that exists, until the host boots
    /// again or QEMU changes. Whatever goes wrong speaks for TCG.
    ///
    /// - Parameter scratch: a folder that is removed however this process ends.
    package func verdict(cache: FilePath?, scratch: FilePath) async -> AcceleratorVerdict {
        if let obstacle { return AcceleratorVerdict(accelerator: .tcg, reason: obstacle) }
        do {
            let key = VerdictCache.Key(
                boot: bootID, qemu: try await tools.version(of: .qemuSystem), user: geteuid(), contained: isContained)
            if let known = cache.flatMap({ VerdictCache.read(from: $0, key: key) }) { return known }
            let verdict = judge(try await run(.kvm, in: scratch))
            if let cache { VerdictCache.write(verdict, to: cache, key: key) }
            return verdict
        } catch {
            return AcceleratorVerdict(accelerator: .tcg, reason: "KVM could not be tried: \(error)")
        }
    }

    /// What keeps KVM from being used before anything is run.
    private var obstacle: String? {
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            let problem = errno
            if problem == ENOENT { return "\(device) does not exist" }
            let remedy = problem == EACCES ? "; the group of \(device) may" : ""
            return "\(device) cannot be opened: \(Errno(rawValue: problem))\(remedy)"
        }
        close(descriptor)
        return nil
    }

    private var bootID: String {
        (try? SmallFile.read("/proc/sys/kernel/random/boot_id")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// What a run of the firmware showed.
    struct Observation: Hashable, Sendable {
        var marks: String
        /// Nil if it was ended by us.
        var status: Int32?
        /// What QEMU said last that sounds like a reason.
        var complaint: String?
    }

    func judge(_ seen: Observation) -> AcceleratorVerdict {
        if seen.marks == ProbeFirmware.marks, seen.status == ProbeFirmware.status {
            return AcceleratorVerdict(accelerator: .kvm, reason: "a test firmware ran to its end under KVM")
        }
        if seen.marks.isEmpty, let complaint = seen.complaint {
            return AcceleratorVerdict(accelerator: .tcg, reason: "KVM cannot be used: \(complaint)")
        }
        let place = "after \(seen.marks.count) of \(ProbeFirmware.marks.count) stages"
        let complaint = seen.complaint.map { " (\($0))" } ?? ""
        return AcceleratorVerdict(
            accelerator: .tcg, reason: "KVM is broken here: a test firmware stopped \(place)\(complaint)")
    }

    /// Runs the firmware to its end, to the limit, or until KVM reports an internal error.
    func run(_ accelerator: Accelerator, in scratch: FilePath) async throws -> Observation {
        let program = try tools.require(.qemuSystem)[0].string
        return try await ScratchFolder.with(in: scratch) { folder in
            let image = folder.appending("probe.bin")
            try SmallFile.create(image, ProbeFirmware.image)
            let inside = isContained ? "/mnt/probe.bin" : image.string
            var command = Command(program, Self.arguments(accelerator, firmware: inside))
            if isContained {
                command.containment = Containment(
                    workSize: .mebi(1), binds: [.init(source: image, target: inside)])
            }
            return try await observe(command)
        }
    }

    private func observe(_ command: Command) async throws -> Observation {
        let complaint = Mutex<String?>(nil)
        return try await runner.withRunning(command) { stream, line in
            if stream == .error { complaint.withLock { $0 = $0 ?? Self.complaint(line) } }
        } body: { process in
            let exit = ExitWatch(process)
            let deadline = ContinuousClock.now + Self.limit
            // After an internal error QEMU stays, with a guest that does not run any more.
            while exit.isRunning, ContinuousClock.now < deadline,
                complaint.withLock({ $0?.contains("internal error") }) != true
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            let endedItself = !exit.isRunning
            process.terminate()
            let result = try await process.waitUntilExit()
            var status: Int32?
            if endedItself, case .exited(let number) = result.ending { status = number }
            return Observation(
                marks: String(decoding: result.standardOutput, as: UTF8.self), status: status,
                complaint: complaint.withLock { $0 })
        }
    }

    /// The part of a line on standard error that says why, without QEMU's own name; nil for what is no failure.
    static func complaint(_ line: String) -> String? {
        var text = line[...]
        if let end = text.firstIndex(of: ":"), text[..<end].contains("qemu") || text[..<end].contains("kvm") {
            text = text[text.index(after: end)...].drop { $0 == " " }
        }
        guard !text.isEmpty, !text.hasPrefix("warning") else { return nil }
        return String(text.prefix(200))
    }

    static func arguments(_ accelerator: Accelerator, firmware: String) -> [String] {
        QEMUOptions.isolation + [
            "-machine", "q35", "-accel", accelerator.rawValue, "-cpu", accelerator == .kvm ? "host" : "qemu64",
            "-m", "16", "-display", "none", "-no-reboot", "-bios", firmware,
            "-chardev", "stdio,id=marks,signal=off", "-device", "isa-debugcon,iobase=0xe9,chardev=marks",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x01",
        ]
    }
}
