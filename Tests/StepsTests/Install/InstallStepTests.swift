import DiskFormats
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// What every change must keep; the rest of the tiny installer's tests takes minutes (`InstallStepLongTests`).
@Suite(.serialized, .timeLimit(.minutes(3))) struct InstallStepTests {
    @Test func `An installer reads its answers, fills the disk, says that it is done and switches off`() async throws {
        try await TinyInstaller.with { installer in
            try await installer.run()
            #expect(
                Scratch.names(installer.output) == [
                    "disk.raw", "install.json", "installer-logs.txt", "installer.log", "report.log", "seal.json",
                ])
            let record = try installer.record()
            #expect(record.saidFinished)
            #expect(record.ending == .powerOff)
            #expect(record.written > .mebi(1))
            let disk = try FileDescriptor.open(installer.output.appending("disk.raw"), .readOnly)
            try disk.closeAfter {
                let table = try PartitionTable.read(disk)
                #expect(table.partitions.map(\.firstLBA) == [2048])
                #expect(table.problems == [])
            }
            let facts = try allocated(installer.output.appending("disk.raw"))
            #expect(facts.size == 64 << 20)
            #expect(facts.allocated < 16 << 20)
            let log = try installer.text(installer.output.appending("installer.log"))
            #expect(log.contains("answers: /tiny.cfg 2 lines"))
            #expect(
                try installer.text(installer.output.appending("report.log"))
                    == "\(SerialMatcher.installationFinished)\r\n")
            #expect(installer.events.lines.contains("Installing the base system"))
            #expect(installer.events.activities.contains("installing the base system"))
            #expect(installer.events.activities.last == "finishing the installation")
            #expect(Scratch.names(installer.folder.appending("logs")) == [])
            // The machine's folder is gone; what was ordered of the sealing goes with the step.
            #expect(Scratch.names(installer.folder.appending("scratch")) == ["order.json"])
        }
    }

    @Test func `A kernel that panics ends the installation, with its line, its screen and its log`() async throws {
        try await TinyInstaller.with("panic") { installer in
            let error = try await installer.fail()
            #expect(error.message.hasPrefix("the installation failed: the kernel panicked: "))
            #expect(error.message.contains("Kernel panic - not syncing: Attempted to kill init!"))
            #expect(error.remedy == "look at its last lines and its screen in \(installer.evidence)")
            #expect(error.log == installer.evidence.appending("serial.log").string)
            #expect(
                Scratch.names(installer.evidence) == ["last-lines.txt", "report.log", "screen.png", "serial.log"])
            let picture = try RepositoryFiles.bytes(installer.evidence.appending("screen.png"))
            #expect(picture.starts(with: [0x89, 0x50, 0x4e, 0x47]))
            #expect(try installer.text(installer.evidence.appending("last-lines.txt")).contains("Kernel panic"))
        }
    }

    @Test func `An installer that switches off before it is done has failed`() async throws {
        try await TinyInstaller.with("early") { installer in
            let error = try await installer.fail()
            #expect(error.message == "the installation failed: it switched itself off before it was done")
            #expect(error.remedy?.hasPrefix("see what it complained of, and mend the answer file; look at") == true)
            // The machine is halted, not gone: it still shows its screen.
            #expect(Scratch.names(installer.evidence).contains("screen.png"))
        }
    }

    @Test func `An installer that does nothing is given up`() async throws {
        try await TinyInstaller.with("hang") { installer in
            installer.environment.installClocks?.noProgress = .seconds(4)
            let error = try await installer.fail()
            #expect(
                error.message
                    == "the installation failed: it did nothing for 4.0 seconds: no serial output, no disk traffic")
            #expect(error.remedy?.hasPrefix("it may wait for an answer that the answer file does not give") == true)
        }
    }

    @Test func `A guest that fills its disk is told apart`() async throws {
        try await TinyInstaller.with("full") { installer in
            let error = try await installer.fail()
            #expect(error.message == "the installation failed: the guest's disk is full")
            #expect(error.remedy?.hasPrefix("give the image a larger disk") == true)
        }
    }

    private func allocated(_ path: FilePath) throws -> (size: Int, allocated: Int) {
        var facts = stat()
        try #require(lstat(path.string, &facts) == 0)
        return (Int(facts.st_size), Int(facts.st_blocks) * 512)
    }
}
