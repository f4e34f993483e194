import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

private let runner = CommandRunner(helper: builtExecutable())

/// Boots a disk that prints a text; returns what came of it and leaves the folder's `evidence` to the body.
private func boot(
    _ text: String, in folder: FilePath, clocks: GuestClocks = GuestClocks(total: .seconds(180)),
    accelerator: Accelerator = .tcg, runner: any CommandRunning = runner,
    onWarning: @escaping @Sendable (String) -> Void = { _ in }
) async throws -> ImageBootCheck.Report {
    let disk = folder.appending("disk.raw")
    try writeFile(BootSector.image(printing: text), to: disk)
    let check = ImageBootCheck(
        runner: runner, tools: ToolInventory(runner: runner), accelerator: accelerator, scratch: folder)
    let image = GuestImage(file: disk, format: .raw, memory: .mebi(64))
    return try await check.run(image, clocks: clocks, evidence: folder.appending("evidence"), onWarning: onWarning)
}

/// Runs what it is told, but with an accelerator that QEMU does not know in place of KVM.
private struct RunnerWithoutKVM: CommandRunning {
    private func changed(_ command: Command) -> Command {
        var copy = command
        copy.arguments = command.arguments.map { $0 == "kvm" ? "none-such" : $0 }
        return copy
    }

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        try await runner.run(changed(command), onLine: onLine)
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        try await runner.withRunning(changed(command), onLine: onLine, body: body)
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct ImageBootCheckTests {
    @Test func `A login prompt proves that an image boots, and the image stays as it was`() async throws {
        try await withTemporaryFolder { folder in
            let report = try await boot("\r\ndebian login: ", in: folder)
            #expect(report.seen == .loginPrompt)
            #expect(report.accelerator == .tcg)
            #expect(readFile(folder.appending("disk.raw")) == BootSector.image(printing: "\r\ndebian login: "))
            let log = try #require(readFile(folder.appending("evidence/serial.log")))
            #expect(String(decoding: log, as: UTF8.self).contains("debian login: "))
        }
    }

    @Test func `The end of cloud-init counts too`() async throws {
        try await withTemporaryFolder { folder in
            let text = "\r\nCloud-init v. 22.4.2 finished at Sat, 21 Nov 2026 05:00:00 +0000. Up 12 seconds\r\n"
            let report = try await boot(text, in: folder)
            #expect(report.seen == .cloudInitFinished)
        }
    }

    @Test func `A kernel panic is told with its line, and a picture of the screen is kept`() async throws {
        try await withTemporaryFolder { folder in
            let error = await #expect(throws: FactoryError.self) {
                _ = try await boot("\r\nKernel panic - not syncing: VFS\r\n", in: folder)
            }
            #expect(error?.message == "the guest failed: the kernel panicked: Kernel panic - not syncing: VFS")
            #expect(error?.log == folder.appending("evidence/serial.log").string)
            let lines = try #require(readFile(folder.appending("evidence/last-lines.txt")))
            #expect(String(decoding: lines, as: UTF8.self).contains("Kernel panic - not syncing: VFS\n"))
            #expect(readFile(folder.appending("evidence/screen.png"))?.starts(with: [0x89, 0x50, 0x4e, 0x47]) == true)
        }
    }

    @Test func `A guest that does nothing is given up`() async throws {
        try await withTemporaryFolder { folder in
            let clocks = GuestClocks(total: .seconds(180), noProgress: .seconds(2))
            let error = await #expect(throws: FactoryError.self) {
                _ = try await boot("", in: folder, clocks: clocks)
            }
            #expect(error?.message.hasPrefix("the guest failed: it did nothing for 2.0 seconds") == true)
        }
    }

    @Test func `A guest that takes too long is given up`() async throws {
        try await withTemporaryFolder { folder in
            let error = await #expect(throws: FactoryError.self) {
                _ = try await boot("", in: folder, clocks: GuestClocks(total: .seconds(1)))
            }
            #expect(error?.message == "the guest failed: it was not ready within 1.0 seconds")
        }
    }

    @Test func `A disk that does not boot is told`() async throws {
        try await withTemporaryFolder { folder in
            let disk = folder.appending("disk.raw")
            try writeFile([UInt8](repeating: 0, count: 1 << 20), to: disk)
            let check = ImageBootCheck(
                runner: runner, tools: ToolInventory(runner: runner), accelerator: .tcg, scratch: folder)
            let error = await #expect(throws: FactoryError.self) {
                _ = try await check.run(
                    GuestImage(file: disk, format: .raw, memory: .mebi(64)),
                    clocks: GuestClocks(total: .seconds(180)), evidence: folder.appending("evidence"))
            }
            #expect(error?.message.hasPrefix("the guest failed: the firmware found nothing to boot") == true)
        }
    }

    @Test func `What KVM fails is tried without it`() async throws {
        try await withTemporaryFolder { folder in
            let warnings = Mutex<[String]>([])
            let report = try await boot(
                "\r\nlogin: ", in: folder, accelerator: .kvm, runner: RunnerWithoutKVM()
            ) { warning in warnings.withLock { $0.append(warning) } }
            #expect(report.accelerator == .tcg)
            #expect(warnings.withLock { $0.count } == 1)
        }
    }

    @Test func `Nothing is left of a guest`() async throws {
        try await withTemporaryFolder { folder in
            _ = try await boot("\r\nlogin: ", in: folder)
            #expect(names(in: folder) == ["disk.raw", "evidence"])
        }
    }

    @Test func `A cancelled check ends its guest and leaves nothing`() async throws {
        try await withTemporaryFolder { folder in
            let task = Task { try await boot("", in: folder) }
            try await Task.sleep(for: .milliseconds(800))
            task.cancel()
            let start = ContinuousClock.now
            await #expect(throws: (any Error).self) { try await task.value }
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(names(in: folder) == ["disk.raw", "evidence"])
        }
    }

    @Test(.enabled(if: access("/usr/share/OVMF/OVMF_CODE_4M.fd", R_OK) == 0))
    func `UEFI firmware that finds nothing to boot is told`() async throws {
        try await withTemporaryFolder { folder in
            let disk = folder.appending("disk.raw")
            try writeFile([UInt8](repeating: 0, count: 1 << 20), to: disk)
            let check = ImageBootCheck(
                runner: runner, tools: ToolInventory(runner: runner), accelerator: .tcg, scratch: folder)
            let error = await #expect(throws: FactoryError.self) {
                _ = try await check.run(
                    GuestImage(file: disk, format: .raw, firmware: .uefi, memory: .mebi(256)),
                    clocks: GuestClocks(total: .seconds(60)), evidence: folder.appending("evidence"))
            }
            #expect(error?.message.hasPrefix("the guest failed: the firmware found nothing to boot") == true)
        }
    }
}
