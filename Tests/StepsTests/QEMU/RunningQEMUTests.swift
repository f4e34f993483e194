import CLinux
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

private let runner = CommandRunner(helper: builtExecutable())

@Suite(.timeLimit(.minutes(1))) struct RunningQEMUTests {
    /// Runs a machine without processors or disks; its monitor's socket lies deeper than a socket's address is long.
    private func withMonitor(_ body: (QMPClient, RunningCommand) async throws -> Void) async throws {
        try await withTemporaryFolder { root in
            let folder = root.appending(String(repeating: "d", count: 120))
            try #require(mkdir(folder.string, 0o755) == 0)
            try Containment.handOver(folder)
            let command = Command(
                "qemu-system-x86_64",
                QEMUOptions.isolation + [
                    "-machine", "none", "-S", "-display", "none",
                    "-chardev", "socket,id=m,path=/mnt/m/monitor.sock,server=on,wait=off",
                    "-mon", "chardev=m,mode=control",
                ],
                containment: Containment(
                    workSize: .mebi(1), binds: [.init(source: folder, target: "/mnt/m", writable: true)]))
            try await runner.withRunning(command) { _, _ in
            } body: { process in
                let client = try await QMPClient.connect(to: "monitor.sock", in: folder, within: .seconds(10))
                defer { client.close() }
                try await body(client, process)
            }
        }
    }

    @Test func `QEMU tells its version and state`() async throws {
        try await withMonitor { client, _ in
            #expect(client.version.contains("."))
            let state = try await client.runState()
            #expect(state == .init(isRunning: false, status: "prelaunch"))
            let statistics = try await client.blockStatistics()
            #expect(statistics == [])
        }
    }

    @Test func `The processors are started and stopped, with an event each`() async throws {
        try await withMonitor { client, _ in
            try await client.resume()
            try await client.stop()
            var names: [String] = []
            for await event in client.events {
                names.append(event.name)
                if names.count == 2 { break }
            }
            #expect(names == ["RESUME", "STOP"])
        }
    }

    @Test func `A command that QEMU does not know is refused`() async throws {
        try await withMonitor { client, _ in
            await #expect {
                try await client.execute("no-such-command")
            } throws: { error in
                guard case QMPError.refused("no-such-command", "CommandNotFound", _) = error else { return false }
                return true
            }
        }
    }

    @Test func `Quit ends QEMU and the events`() async throws {
        try await withMonitor { client, process in
            try await client.quit()
            let result = try await process.waitUntilExit()
            #expect(result.succeeded)
            for await _ in client.events {}
        }
    }

    @Test func `A link in place of the socket is not followed`() async throws {
        try await withTemporaryFolder { folder in
            try #require(symlink("/run/some.sock", folder.appending("monitor.sock").string) == 0)
            await #expect(throws: Errno.notSocket) {
                try await SocketConnection.connect(to: "monitor.sock", in: folder, within: .seconds(1))
            }
        }
    }

    @Test func `QEMU ends with the process that started it, even if that is killed`() async throws {
        try await withTemporaryFolder { folder in
            let name = folder.lastComponent?.string ?? ""
            var ends: [Int32] = [-1, -1]
            try #require(if_pipe(&ends) == 0)
            // The end of the pipe closes when this process ends, in any way; here it is closed by hand.
            let containment = Containment(workSize: .mebi(1))
            let qemu = QEMUOptions.isolation + ["-machine", "none", "-S", "-display", "none", "-name", name]
            let words = ["image-factory", "__contain"] + containment.arguments(for: "qemu-system-x86_64", qemu)
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
            var arguments = words.map { strdup($0) } + [nil]
            var process = pid_t()
            let problem = posix_spawn(&process, builtExecutable().string, &actions, nil, &arguments, environ)
            arguments.forEach { free($0) }
            posix_spawn_file_actions_destroy(&actions)
            close(ends[0])
            try #require(problem == 0)
            for _ in 0..<500 where !isRunning(name) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(isRunning(name))
            close(ends[1])
            for _ in 0..<200 where isRunning(name) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(!isRunning(name))
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
    }

    /// Whether there is a QEMU with this name.
    private func isRunning(_ name: String) -> Bool {
        names(in: "/proc").filter { $0.allSatisfy(\.isNumber) }.contains { process in
            let words = (readFile(FilePath("/proc/\(process)/cmdline")) ?? []).split(separator: 0)
            return words.first.map { String(decoding: $0, as: UTF8.self) } == "qemu-system-x86_64"
                && words.last.map { String(decoding: $0, as: UTF8.self) } == name
        }
    }
}
