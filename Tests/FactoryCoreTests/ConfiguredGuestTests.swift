import Glibc
import Model
import Steps
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// `Factory.configure` with the tests' own cloud image in a real machine: part of `make e2e-cloud`.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil), .timeLimit(.minutes(15)))
struct ConfiguredGuestTests {
    private typealias Place = ImageConfigurationTests.Place

    /// A copy of the tiny cloud image, which scripts/setup makes. Expects that no process is left in the end.
    private func with(_ body: (Place) async throws -> Void) async throws {
        let tiny = RepositoryFiles.root.appending(".build/tiny-cloud/disk.raw")
        try #require(access(tiny.string, R_OK) == 0, "run scripts/setup, which makes the tiny cloud image")
        try await Place.with { place in
            try await CommandRunner().runChecked(
                Command("cp", ["--sparse=always", "--no-preserve=mode", tiny.string, place.image.string]),
                activity: "preparing a test")
            try await body(place)
            #expect(Self.processes(naming: place.folder.removingLastComponent()) == [])
        }
    }

    /// The command lines of other processes that name a folder.
    private static func processes(naming folder: FilePath) -> [String] {
        Scratch.names("/proc").filter { UInt32($0) != nil }.compactMap { process in
            let line = try? Scratch.read(FilePath("/proc").appending(process).appending("cmdline"))
            return line.flatMap { $0.contains(folder.string) ? $0.replacing("\0", with: " ") : nil }
        }
    }

    /// A small machine without a network, and a seed with these lines.
    private func request(
        _ place: Place, _ lines: String, _ change: (inout ImageConfigurationRequest) -> Void = { _ in }
    ) throws -> ImageConfigurationRequest {
        let seed = place.folder.removingLastComponent().appending("user-data-\(UInt32.random(in: 0...UInt32.max))")
        try Scratch.write("#cloud-config\n\(lines)\n", seed)
        var request = ImageConfigurationRequest(
            image: place.image, seed: [.userData: seed], network: .none, memory: .mebi(256), makesHostKeyUnit: false)
        change(&request)
        return request
    }

    private func failure(
        _ place: Place, _ request: ImageConfigurationRequest
    ) async -> ImageConfigurationFailure? {
        await #expect(throws: ImageConfigurationFailure.self) {
            _ = try await place.factory.configure(request, telling: ImageNotes())
        }
    }

    /// What a file holds, without the end of its last line.
    private func text(_ path: String, of image: FilePath) async throws -> String {
        try await CommandRunner().run(Command("debugfs", ["-R", "cat \(path)", "\(image)?offset=1048576"])).text
    }

    @Test func `An image is set up and reset, and what its guest said is where it was asked for`() async throws {
        try await with { place in
            let log = place.folder.appending("guest.log")
            let seed = place.folder.appending("cidata.iso")
            let request = try request(place, "# writes: hello") {
                $0.log = log
                $0.seedOutput = seed
                $0.reset = .defaults
            }
            let made = try await place.factory.configure(request, telling: ImageNotes())
            #expect(try place.digest == made.digest)
            #expect(made.setup?.status == "done" && made.setup?.datasource == "DataSourceNoCloud [seed=/dev/vdb]")
            #expect(made.reset.first { $0.operation == "cloud-init" }?.removed == ["/var/lib/cloud/data"])
            #expect(try await text("/etc/written", of: place.image) == "hello")
            #expect(try await text("/etc/machine-id", of: place.image) == "")
            #expect(try Scratch.read(log).contains("tiny cloud guest: switch ''\r\n"))
            #expect(place.names == ["cidata.iso", "guest.log", "web.img", "web.img.configured.json"] && place.isTidy)
        }
    }

    @Test func `Two images are configured at the same time, each by its own files`() async throws {
        try await with { place in
            let before = try place.digest
            let one = try request(place, "# writes: one") { $0.output = place.folder.appending("one.img") }
            let two = try request(place, "# writes: two") { $0.output = place.folder.appending("two.img") }
            async let first = place.factory.configure(one, telling: ImageNotes())
            async let second = place.factory.configure(two, telling: ImageNotes())
            let made = try await [first, second]
            #expect(try await text("/etc/written", of: made[0].image) == "one")
            #expect(try await text("/etc/written", of: made[1].image) == "two")
            #expect(try place.digest == before && place.isTidy)
        }
    }

    @Test(arguments: [
        ("error", CloudSetupFailure.cloudInitError), ("panic", .guestPanic), ("reboot", .guestReset),
        ("early", .earlyPowerOff), ("source", .noDatasource), ("full", .diskFull),
    ])
    func `Each failure has its own reason, the image is what it was, and nothing is left`(
        switch: String, reason: CloudSetupFailure
    ) async throws {
        try await with { place in
            let before = try place.digest
            let request = try request(place, "# tiny: \(`switch`)") { $0.reset = .defaults }
            let failure = await failure(place, request)
            #expect(failure?.reason == .configure(reason), "\(failure?.message ?? "")")
            #expect(failure?.message.hasPrefix("\(reason.rawValue): ") == true)
            #expect(try place.digest == before && place.names == ["web.img"] && place.isTidy)
        }
    }

    @Test func `A guest ends when the time that was given for it does, and until then its monitor answers`()
        async throws
    {
        try await with { place in
            let before = try place.digest
            let request = try request(place, "# tiny: hang") {
                $0.timeout = .seconds(25)
                $0.monitorSocket = place.folder.appending("monitor")
            }
            async let end = failure(place, request)
            let heard = Mutex<[UInt8]>([])
            let caller = try await SocketConnection.connect(to: "monitor", in: place.folder, within: .seconds(20))
            defer { caller.close() }
            caller.startReading(onBytes: { bytes in heard.withLock { $0 += bytes } }, onEnd: {})
            try caller.send(Array("info status\n".utf8))
            let start = ContinuousClock.now
            let failure = await end
            #expect(failure?.reason == .configure(.timeout), "\(failure?.message ?? "")")
            #expect(ContinuousClock.now - start < .seconds(60))
            #expect(String(decoding: heard.withLock { $0 }, as: UTF8.self).contains("VM status: "))
            #expect(try place.digest == before && place.names == ["web.img"] && place.isTidy)
        }
    }
}
