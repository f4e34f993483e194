import CLinux
import Glibc
import Model
package import SystemPackage
package import Tooling

/// Boots an image on a throw-away overlay and connects the terminal with its serial console.
package struct InteractiveConsole: Sendable {
    private let runner: any CommandRunning
    private let tools: ToolInventory
    private let scratch: FilePath
    private let input: FileDescriptor
    private let output: FileDescriptor

    /// - Parameter scratch: a folder for the overlay, which grows to what the guest writes.
    package init(
        runner: any CommandRunning, tools: ToolInventory, scratch: FilePath,
        input: FileDescriptor = .standardInput, output: FileDescriptor = .standardOutput
    ) {
        self.runner = runner
        self.tools = tools
        self.scratch = scratch
        self.input = input
        self.output = output
    }

    /// Runs until the guest switches itself off or the user does. `onNote` gets lines for the user before the console
    /// starts: how to leave it, and where ssh is.
    package func run(
        _ image: GuestImage, accelerator: Accelerator, onNote: @escaping @Sendable (String) -> Void
    ) async throws {
        let port = try LoopbackPort.free()
        try await ScratchFolder.with(in: scratch) { folder in
            // The log is of no use afterwards: what it says was seen.
            try await ScratchFolder.with(in: scratch) { evidence in
                var machine = try await image.prepare(
                    in: folder, accelerator: accelerator, network: .sshForwarded(port: port), tools: tools,
                    runner: runner, evidence: evidence)
                machine.network = .host
                onNote("ssh to the guest: ssh -p \(port) USER@127.0.0.1")
                onNote(ConsoleKeys.help)
                do {
                    try await bridge(machine)
                } catch let failure as GuestFailure {
                    throw failure.error
                }
            }
        }
    }

    private func bridge(_ machine: VirtualMachine) async throws {
        let isTerminal = isatty(input.rawValue) == 1
        defer { if_terminal_restore() }
        try await machine.withRunning(by: runner) { [output] bytes in
            _ = try? output.writeAll(bytes)
        } body: { guest in
            if isTerminal, if_terminal_enter_raw(input.rawValue) != 0 {
                throw FactoryError(.osFailure, "cannot use the terminal: \(Errno(rawValue: errno))")
            }
            let keyboard = try Keyboard(input)
            defer { keyboard.stop() }
            try await serve(guest, keyboard.actions, grace: machine.clocks.shutdownGrace)
        }
    }

    /// Does what the keys say until the guest is off.
    private func serve(
        _ guest: RunningMachine, _ actions: AsyncStream<ConsoleKeys.Action>, grace: Duration
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while guest.isRunning { try await Task.sleep(for: .milliseconds(50)) }
            }
            group.addTask {
                for await action in actions {
                    switch action {
                    case .type(let bytes): try? guest.type(bytes)
                    case .powerDown: try? await guest.monitor.powerDown()
                    case .quit: return try await guest.switchOff()
                    }
                }
                // Standard input has ended, which says nothing about the guest.
                while guest.isRunning { try await Task.sleep(for: .milliseconds(50)) }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// Reads what is typed, on a thread that can be stopped while it waits.
final class Keyboard: Sendable {
    let actions: AsyncStream<ConsoleKeys.Action>
    private let stopping: FileDescriptor

    init(_ input: FileDescriptor) throws {
        var ends: [Int32] = [-1, -1]
        guard if_pipe(&ends) == 0 else {
            throw FactoryError(.osFailure, "cannot make a pipe: \(Errno(rawValue: errno))")
        }
        let stop = ends[0]
        stopping = FileDescriptor(rawValue: ends[1])
        let (actions, sink) = AsyncStream.makeStream(of: ConsoleKeys.Action.self)
        self.actions = actions
        DetachedThread.start {
            Self.read(input.rawValue, stop: stop, sink)
            sink.finish()
            close(stop)
        }
    }

    /// Ends the thread. To be called once.
    func stop() { try? stopping.close() }

    private static func read(_ input: Int32, stop: Int32, _ sink: AsyncStream<ConsoleKeys.Action>.Continuation) {
        var keys = ConsoleKeys()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var entries = [
                pollfd(fd: input, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: 0, revents: 0),
            ]
            if poll(&entries, 2, -1) < 0, errno != EINTR { return }
            if entries[1].revents != 0 { return }
            guard entries[0].revents != 0 else { continue }
            let count = Glibc.read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            for action in keys.actions(for: buffer[..<count]) { sink.yield(action) }
        }
    }
}

/// TCP ports of 127.0.0.1.
enum LoopbackPort {
    /// A port that nothing uses at this moment.
    static func free() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0 else {
            throw FactoryError(.osFailure, "cannot find a free port: \(Errno(rawValue: errno))")
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
