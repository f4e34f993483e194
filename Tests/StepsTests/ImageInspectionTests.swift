import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Steps
@testable import Tooling

@Suite struct ImageInspectionTests {
    /// Runs commands and remembers them.
    private final class Recorder: CommandRunning {
        private let inner = CommandRunner(helper: builtExecutable())
        private let seen = Mutex<[Command]>([])

        var programs: Set<String> { seen.withLock { Set($0.map(\.program)) } }

        func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
            seen.withLock { $0.append(command) }
            return try await inner.run(command, onLine: onLine)
        }

        func withRunning<Value: Sendable>(
            _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
        ) async throws -> Value {
            seen.withLock { $0.append(command) }
            return try await inner.withRunning(command, onLine: onLine, body: body)
        }
    }

    /// A reader that ends in a way of its own.
    private struct Ending: CommandRunning {
        var result: CommandResult

        func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult { result }

        func withRunning<Value: Sendable>(
            _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
        ) async throws -> Value { throw CancellationError() }
    }

    private static let secret = "the-canary-sings"
    private static let images = HostileImages.all(canary: "/tmp/canary")

    private func inspection(_ runner: some CommandRunning = CommandRunner(helper: builtExecutable())) -> ImageInspection
    { ImageInspection(runner: runner, executable: builtExecutable()) }

    @Test(
        arguments: [
            ("a.raw", .raw, "raw", 1 << 20), ("a.qcow2", .qcow2, "qcow2", 1 << 20), ("a.vmdk", .vmdk, "vmdk", 1 << 20),
            ("f.vhd", .fixedVHD, "vhd", 1 << 20), ("d.vhd", .dynamicVHD(), "vhd", 2 << 20),
            ("a.vhdx", .vhdx, "vhdx", 8 << 20), ("a.vdi", .vdi, "vdi", 2 << 20), ("a.iso", .iso, "iso", 65536),
            ("a.img", .qcow2, "qcow2", 1 << 20),
        ] as [(String, ImageBytes, String, UInt64)])
    func `A sound image is known by its format and size`(
        name: String, bytes: ImageBytes, format: String, size: UInt64
    ) async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending(name)
            try bytes.write(image)
            let facts = try await inspection().inspect(image)
            #expect((facts.format, facts.virtualSize.bytes) == (format, size))
            #expect(facts.fileSize.bytes == UInt64(bytes.size))
        }
    }

    @Test func `There are enough hostile images, each with a name of its own`() {
        #expect(Self.images.count >= 40)
        #expect(Set(Self.images.map(\.name)).count == Self.images.count)
    }

    @Test(arguments: images) func `A hostile image is refused with the reason`(hostile: HostileImages.Image)
        async throws
    {
        try await Scratch.with { scratch in
            let image = scratch.path.appending(hostile.name)
            try hostile.bytes.write(image)
            let recorder = Recorder()
            let error = await #expect(throws: FactoryError.self) { _ = try await inspection(recorder).inspect(image) }
            #expect(error?.message.contains(hostile.reason) == true, "\(error?.message ?? "")")
            #expect(error?.remedy != nil)
            #expect(recorder.programs == ["/mnt/image-factory"])
        }
    }

    /// Each third image, which takes ten seconds; with IMAGE_FACTORY_E2E=1 in the environment all of them.
    @Test(.enabled(if: access("/usr/bin/strace", X_OK) == 0))
    func `run starts no tool on hostile images, and opens nothing that they name`() async throws {
        try await Scratch.with { scratch in
            let canary = scratch.path.appending("canary")
            try Scratch.write(Self.secret, canary)
            let every = getenv("IMAGE_FACTORY_E2E") == nil ? 3 : 1
            let chosen = HostileImages.all(canary: canary.string).enumerated().filter { $0.offset % every == 0 }
            let images = try chosen.map { _, hostile in
                let image = scratch.path.appending(hostile.name)
                try hostile.bytes.write(image)
                return image.string
            }
            let trace = scratch.path.appending("trace")
            let loop = "for image; do \"$0\" run \"$image\" < /dev/null; echo \"status $?\"; done"
            let result = try await CommandRunner().run(
                Command(
                    "strace",
                    ["-f", "-qq", "-e", "trace=execve,openat", "-o", trace.string, "sh", "-c", loop]
                        + [builtExecutable().string] + images,
                    environment: ["XDG_CACHE_HOME": scratch.path.appending("cache").string], timeout: .seconds(900)))
            let statuses = result.text.split(separator: "\n").filter { $0.hasPrefix("status ") }
            #expect(statuses.count == images.count)
            #expect(statuses.allSatisfy { $0 == "status 65" }, "\(result.text)")
            #expect(!result.text.contains(Self.secret))
            let calls = try Scratch.read(trace).split(separator: "\n").map { String($0) }
            let programs = calls.filter { $0.contains(" execve(") }.map { call in
                String(call.drop { $0 != "\"" }.dropFirst().prefix { $0 != "\"" })
            }
            #expect(programs.count > images.count)
            #expect(programs.allSatisfy { $0.hasSuffix("/image-factory") || $0.hasSuffix("/sh") }, "\(programs)")
            #expect(!calls.contains { $0.contains("openat(") && $0.contains(canary.string + "\"") })
            #expect(Scratch.names(scratch.path.appending("cache")).isEmpty)
        }
    }

    @Test func `A claim that is given counts more than the name's ending`() async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending("a.qcow2")
            try ImageBytes.raw.write(image)
            #expect(try await inspection().inspect(image, claimed: "raw").format == "raw")
            let error = await #expect(throws: FactoryError.self) {
                _ = try await inspection().inspect(image, claimed: "raw", accepted: ["qcow2"])
            }
            #expect(error?.message.hasSuffix(" is raw, not qcow2") == true)
        }
    }

    @Test func `What is no file is refused before anything runs`() async throws {
        try await Scratch.with { scratch in
            mkfifo(scratch.path.appending("pipe").string, 0o644)
            symlink("/dev/zero", scratch.path.appending("device").string)
            symlink(scratch.path.string, scratch.path.appending("folder").string)
            let recorder = Recorder()
            for name in ["pipe", "device", "folder"] {
                let error = await #expect(throws: FactoryError.self) {
                    _ = try await inspection(recorder).inspect(scratch.path.appending(name))
                }
                #expect(error?.message.hasSuffix("is no file but a \(name)") == true)
            }
            let error = await #expect(throws: FactoryError.self) {
                _ = try await inspection(recorder).inspect(scratch.path.appending("none"))
            }
            #expect(error?.code == .missingInput)
            #expect(recorder.programs.isEmpty)
        }
    }

    @Test(arguments: [CommandResult.Ending.signalled(4), .signalled(9), .exited(0)])
    func `A reader that breaks refuses the image`(ending: CommandResult.Ending) async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending("a.qcow2")
            try ImageBytes.qcow2.write(image)
            let runner = Ending(result: CommandResult(ending: ending))
            let error = await #expect(throws: FactoryError.self) { _ = try await inspection(runner).inspect(image) }
            #expect(error?.message.hasSuffix("its header cannot be read: the reader ended with \(ending)") == true)
        }
    }
}
