import Glibc
import Model
package import SystemPackage
package import Tooling

/// Runs a machine in a containment and watches it.
package struct VirtualMachine: Sendable {
    package enum Ending: Sendable {
        /// By the power button, so that the guest can put its files in order.
        case powerDown
        /// For guests whose disk is thrown away.
        case atOnce
    }

    package struct Outcome: Hashable, Sendable {
        /// The first of the wanted signs.
        package var sign: BootSign
        /// From the start of its processors to the sign.
        package var time: Duration
    }

    package var machine: Machine
    /// The program, from the tool inventory.
    package var program: String
    /// The files that the machine names.
    package var binds: [Containment.Bind]
    /// The host's folder that is `machine.folder` inside; contained processes can write to it.
    package var folder: FilePath
    /// Of QEMU itself: the host's network is needed only to forward a port of the host.
    package var network: Containment.Network
    package var clocks: GuestClocks
    /// Where the serial log goes, and the screen and the last lines of a guest that failed. It is made if need be.
    package var evidence: FilePath
    /// What the console of the guest may say.
    var console = SerialMatcher.boot
    /// What its second serial port may say, and the virtio-serial port beside it.
    var reportRules = SerialMatcher.report
    /// What is kept of the console, in bytes.
    var logLimit = 64 << 20
    /// Begins the message of a failure.
    var subject = "the guest"
    /// What has gone through the guest's network so far, where somebody counts it.
    package var networkBytes: @Sendable () -> UInt64 = { 0 }

    package init(
        machine: Machine, program: String, binds: [Containment.Bind], folder: FilePath,
        network: Containment.Network = .none, clocks: GuestClocks = GuestClocks(), evidence: FilePath
    ) {
        self.machine = machine
        self.program = program
        self.binds = binds
        self.folder = folder
        self.network = network
        self.clocks = clocks
        self.evidence = evidence
    }

    static let serialLog = "serial.log"
    static let reportLog = "report.log"

    /// Runs the machine until one of the wanted signs. Throws `GuestFailure` where the guest is at fault.
    package func run(
        until wanted: Set<BootSign>, ending: Ending, by runner: some CommandRunning,
        onSerial: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> Outcome {
        try await withRunning(by: runner, onSerial: onSerial) { guest in
            var watching = GuestSession(guest: guest, clocks: clocks)
            do {
                let outcome = try await watching.wait(for: wanted)
                switch ending {
                case .powerDown where guest.isRunning: try await guest.powerDown(grace: clocks.shutdownGrace)
                case .atOnce where guest.isRunning: try await guest.switchOff()
                default: break
                }
                return outcome
            } catch let ended as GuestSession.Failure {
                throw await failure(ended, of: guest)
            }
        }
    }

    /// Starts the machine, which runs while `body` does; when `body` ends, so does the machine, at once.
    package func withRunning<Value: Sendable>(
        by runner: some CommandRunning, onSerial: @escaping @Sendable ([UInt8]) -> Void,
        onReport: @escaping @Sendable ([UInt8]) -> Void = { _ in }, body: (RunningMachine) async throws -> Value
    ) async throws -> Value {
        let containment = Containment(
            network: network, workSize: .mebi(16),
            binds: binds + [.init(source: folder, target: machine.folder, writable: true)])
        let command = Command(program, try machine.arguments(), containment: containment)
        let recorder = try makeRecorder(Self.serialLog, console, onSerial)
        let report =
            machine.reports ? try makeRecorder(Self.reportLog, reportRules, onReport) : nil
        return try await runner.withRunning(command) { _, _ in
        } body: { process in
            let guest = try await start(process, recorder: recorder, report: report)
            defer { guest.close() }
            return try await body(guest)
        }
    }

    private func makeRecorder(
        _ name: String, _ rules: SerialMatcher.Rules, _ onBytes: @escaping @Sendable ([UInt8]) -> Void
    ) throws -> SerialRecorder {
        do {
            guard mkdir(evidence.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
            return try SerialRecorder(
                log: evidence.appending(name), rules: rules, logLimit: logLimit, onBytes: onBytes)
        } catch let problem as Errno {
            throw FactoryError(.cannotCreate, "cannot write the guest's log to \(evidence): \(problem)")
        }
    }

    /// Connects to the monitor and the console, then lets the processors run.
    private func start(
        _ process: RunningCommand, recorder: SerialRecorder, report: SerialRecorder?
    ) async throws -> RunningMachine {
        let exit = ExitWatch(process)
        do {
            let limit = Duration.seconds(20)
            let socket = try await SocketConnection.connect(
                to: Machine.monitorSocket, in: folder, within: limit, while: { exit.isRunning })
            let monitor = try await QMPClient.negotiate(over: socket, within: limit)
            let port: (String, SerialRecorder) async throws -> SocketConnection = { name, recorder in
                let port = try await SocketConnection.connect(
                    to: name, in: folder, within: limit, while: { exit.isRunning })
                port.startReading(onBytes: { recorder.append($0) }, onEnd: {})
                return port
            }
            let serial = try await port(Machine.serialSocket, recorder)
            var second: RunningMachine.Report?
            if let report {
                var ports = [try await port(Machine.reportSocket, report)]
                if machine.setup != nil { ports.append(try await port(Machine.probeSocket, report)) }
                second = .init(ports: ports, recorder: report)
            }
            let events = MachineEvents()
            events.follow(monitor)
            try await monitor.resume()
            return RunningMachine(
                monitor: monitor, serial: serial, recorder: recorder, report: second, events: events,
                networkBytes: networkBytes, exit: exit, process: process)
        } catch  where !(error is CancellationError) {
            _ = try await exit.wait(for: .seconds(1))
            guard let result = try exit.result() else {
                throw FactoryError(.failed, "QEMU does not answer: \(error)")
            }
            let reason = result.reason.map { ": \($0)" } ?? ""
            let message = "QEMU ended with \(result.ending) before the guest started\(reason)"
            throw GuestFailure(
                reason: message, accuses: true, error: FactoryError(.failed, message, remedy: nil))
        }
    }

    /// Saves what helps to understand the failure, and says where.
    func failure(_ cause: GuestSession.Failure, of guest: RunningMachine) async -> GuestFailure {
        var picture: [UInt8]?
        if guest.isRunning,
            (try? await guest.monitor.screenshot(to: "\(machine.folder)/\(GuestEvidence.screen)")) != nil
        {
            picture = try? SmallFile.read(folder.appending(GuestEvidence.screen))
        }
        return GuestEvidence(folder: evidence, subject: subject)
            .failure(cause, lines: guest.recorder.lastLines(40), picture: picture)
    }
}
