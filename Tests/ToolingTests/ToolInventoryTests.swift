import Model
import Synchronization
import Testing

@testable import Tooling

/// Answers every command alike and counts the calls.
private final class ScriptedRunner: CommandRunning {
    let calls = Mutex<[Command]>([])
    let lines: [(OutputStream, String)]

    init(_ lines: [(OutputStream, String)]) { self.lines = lines }

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        calls.withLock { $0.append(command) }
        for (stream, line) in lines { onLine(stream, line) }
        return CommandResult(ending: .exited(0), lastLines: lines.map(\.1))
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        throw FactoryError(.internal, "not scripted")
    }
}

@Suite struct ToolInventoryTests {
    @Test(
        arguments: [
            ("mmdebstrap 1.3.5", "1.3.5"),
            ("apt 2.6.1 (amd64)", "2.6.1"),
            ("gpgv (GnuPG) 2.2.40", "2.2.40"),
            ("mke2fs 1.47.0 (5-Feb-2023)", "1.47.0"),
            ("sfdisk from util-linux 2.38.1", "2.38.1"),
            ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", "7.2.22"),
            ("*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***", "1.5.4"),
            ("Usage: mkfs.vfat [OPTIONS] TARGET", nil),
        ])
    func `A version is found in the first line`(line: String, version: String?) {
        #expect(ToolInventory.version(in: line) == version)
    }

    @Test func `A version is asked for once, and standard output counts more than standard error`() async throws {
        let runner = ScriptedRunner([(.error, "warning 9.9"), (.output, "tar (GNU tar) 1.34"), (.output, "2.0")])
        let inventory = ToolInventory(runner: runner)
        #expect(try await inventory.version(of: .tar) == "1.34")
        #expect(try await inventory.version(of: .tar) == "1.34")
        #expect(runner.calls.withLock { $0.count } == 1)
    }

    @Test(arguments: Tool.allCases) func `Every tool that is here tells its version`(tool: Tool) async throws {
        let inventory = ToolInventory(runner: CommandRunner())
        guard !inventory.paths(of: tool).isEmpty else { return }
        let version = try await inventory.version(of: tool)
        #expect(version.first?.isNumber == true)
    }

    @Test(arguments: Tool.allCases) func `A tool that is not here is named with its package`(tool: Tool) {
        guard tool.files.isEmpty else { return }
        let inventory = ToolInventory(runner: CommandRunner(), searchPath: "/nonexistent")
        let error = #expect(throws: FactoryError.self) { try inventory.require(tool) }
        #expect(error?.code == .unavailable)
        #expect(error?.remedy == "install it: apt-get install \(tool.package)")
    }
}
