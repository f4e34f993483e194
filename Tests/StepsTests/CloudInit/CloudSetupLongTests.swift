import DiskFormats
import Filesystems
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// The other ends of the tiny cloud image: part of `make e2e-cloud`.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil), .timeLimit(.minutes(15)))
struct CloudSetupLongTests {
    @Test(arguments: [
        ("panic", CloudSetupFailure.guestPanic), ("reboot", .guestReset), ("early", .earlyPowerOff),
        ("source", .noDatasource), ("ignored", .cloudInitError), ("forget", .cloudInitError), ("full", .diskFull),
    ])
    func `Each wrong end has its own reason`(_ tiny: String, _ reason: CloudSetupFailure) async throws {
        try await TinyCloudGuest.with(tiny) { guest in
            let error = try await guest.fail(reason)
            #expect(error.log == (try guest.evidence()).appending("serial.log").string)
        }
    }

    @Test func `A guest that does nothing is given up`() async throws {
        try await TinyCloudGuest.with("hang") { guest in
            guest.environment.setupClocks?.noProgress = .seconds(5)
            let error = try await guest.fail(.timeout)
            #expect(error.message.hasPrefix("timeout: it did nothing for 5.0 seconds"))
        }
    }

    @Test func `A guest that stays is a failure, never cut off silently`() async throws {
        try await TinyCloudGuest.with("stay") { guest in
            guest.environment.setupClocks?.shutdownGrace = .seconds(12)
            try await guest.fail(.noShutdown)
            let events = try Scratch.read(try guest.evidence().appending("qmp.jsonl"))
            #expect(events.contains("POWERDOWN"))
        }
    }

    @Test func `A seed that nobody reads is known when the guest is up`() async throws {
        try await TinyCloudGuest.with("deaf") { guest in
            guest.environment.setupClocks?.shutdownGrace = .seconds(2)
            guest.environment.setupPatience = .seconds(2)
            let error = try await guest.fail(.noDatasource)
            #expect(error.message.hasPrefix("no-datasource: the guest is up, and its cloud-init did not read the seed"))
        }
    }

    @Test func `A guest that switches itself off once cloud-init is done has done what it should`() async throws {
        try await TinyCloudGuest.with("own") { guest in
            try await guest.run()
            #expect(try guest.record().status == "done")
        }
    }

    @Test func `Without a virtio-serial port the second serial port is used`() async throws {
        try await TinyCloudGuest.with("serial") { guest in
            try await guest.run()
            #expect(try guest.text("/etc/written") == "hello\n")
        }
    }

    @Test func `Two guests are set up at the same time`() async throws {
        func setUp(_ text: String) async throws -> Duration {
            try await TinyCloudGuest.with(nil, [.userData: "#cloud-config\n# writes: \(text)\n"]) { guest in
                let start = ContinuousClock.now
                try await guest.run()
                #expect(try guest.text("/etc/written") == "\(text)\n")
                return ContinuousClock.now - start
            }
        }
        async let one = setUp("one")
        async let two = setUp("two")
        let start = ContinuousClock.now
        let times = try await [one, two]
        #expect(ContinuousClock.now - start < times[0] + times[1], "they ran one after the other")
    }

    @Test func `People reach the monitor of the machine at the path they choose, while it runs`() async throws {
        try await TinyCloudGuest.with("hang") { guest in
            guest.environment.monitorSocket = MonitorSocket(guest.folder.appending("monitor"))
            guest.environment.setupClocks?.noProgress = .seconds(15)
            let running = guest
            async let end = running.fail(.timeout)
            let heard = Mutex<[UInt8]>([])
            let caller = try await SocketConnection.connect(to: "monitor", in: guest.folder, within: .seconds(20))
            defer { caller.close() }
            caller.startReading(onBytes: { bytes in heard.withLock { $0 += bytes } }, onEnd: {})
            try caller.send(Array("info status\n".utf8))
            #expect(Scratch.names(guest.folder).contains("monitor"))
            _ = try await end
            // Who asks at once hears that the machine has not started yet.
            #expect(String(decoding: heard.withLock { $0 }, as: UTF8.self).contains("VM status: "))
            #expect(!Scratch.names(guest.folder).contains("monitor"))
        }
    }

    @Test func `A guest whose root the host cannot read says itself how cloud-init ended, and resets itself`()
        async throws
    {
        try await Scratch.with { scratch in
            let image = scratch.path.appending("image.raw")
            try Self.makeUnreadable(TinyCloudGuest.image, image)
            let files: [SeedFile.Kind: String] = [.userData: "#cloud-config\n# writes: hello\n"]
            var guest = try TinyCloudGuest(scratch.path, image, files)
            guest.action.reset = .defaults
            try await guest.run()
            #expect(
                guest.events.warnings.contains(
                    "xfs cannot be read without mounting it: the guest itself is asked how cloud-init ended"))
            let record = try guest.record()
            #expect(record.witness == .guest && record.status == "done")
            #expect(record.datasource == "DataSourceNoCloud [seed=/dev/vdb]")

            let report = try await guest.reset(ResetAction(.defaults, makesHostKeyUnit: false))
            #expect(report.operations == record.reset)
            #expect(report.operations.first { $0.name == "tmp-files" }?.removed.contains("/tmp/hook") == true)
            #expect(report.operations.first { $0.name == "script" }?.note != nil)
            let clone = guest.folder.pushing("reset/disk.raw")
            #expect(try await TinyCloudGuest.digest(clone).prefix(64) == TinyCloudGuest.digest(guest.disk).prefix(64))
        }
    }

    @Test func `A root that the host cannot read is not reset without its guest`() async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending("image.raw")
            try Self.makeUnreadable(TinyCloudGuest.image, image)
            let guest = try TinyCloudGuest(scratch.path, image, [:])
            try SparseFile.copy(from: image, to: guest.disk) { _, _ in }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await guest.reset(ResetAction(.defaults, makesHostKeyUnit: false), afterSetup: false)
            }
            #expect(error?.message == "the image cannot be reset: xfs cannot be edited without mounting it")
        }
    }

    /// The tiny image as one of /boot and a root of xfs; nobody but this program looks at the latter.
    private static func makeUnreadable(_ image: FilePath, _ copy: FilePath) throws {
        try SparseFile.copy(from: image, to: copy) { _, _ in }
        chmod(copy.string, 0o644)
        let editor = try Ext4Editor(copy, offset: 1 << 20)
        try editor.remove(try #require(try editor.find("/etc/os-release")))
        try editor.flush()
        let file = try FileDescriptor.open(copy, .readWrite)
        try file.closeAfter {
            let end = try file.seek(offset: 0, from: .end)
            try DiskChange.addPartition(2, type: 0x83, end..<end + (1 << 20), to: file)
            try file.writeAll(toAbsoluteOffset: end, Array("XFSB".utf8))
            try file.resize(to: end + (1 << 20))
        }
    }

    @Test(arguments: CloudSetup.Degradation.allCases)
    func `A degraded setup is a warning or a failure, as asked for`(_ degradation: CloudSetup.Degradation) async throws
    {
        try await TinyCloudGuest.with("degraded") { guest in
            guest.action.degradation = degradation
            guard degradation == .warn else {
                let error = try await guest.fail(.cloudInitDegraded)
                #expect(error.message.hasSuffix("Could not resolve a name"))
                return
            }
            try await guest.run()
            #expect(guest.events.warnings.contains("cloud-init was degraded: Could not resolve a name"))
            #expect(try guest.record().recoverableErrors == ["WARNING": ["Could not resolve a name"]])
        }
    }
}
