import Glibc
import Model
import Steps
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// Images on their way through `Factory.configure`, without a guest: what a guest does is tested with the steps.
@Suite struct ImageConfigurationTests {
    struct Place {
        let folder: FilePath
        let factory: Factory
        let image: FilePath

        static func with(_ bytes: ImageBytes = .qcow2, _ body: (Place) async throws -> Void) async throws {
            try await Scratch.with { scratch in
                let runner = CommandRunner(helper: builtExecutable(), proxies: [:])
                let factory = Factory(
                    store: scratch.path.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
                    executable: builtExecutable(), clock: WallClock { 1_763_300_000 }, environment: [:])
                let folder = scratch.path.appending("images")
                guard mkdir(folder.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
                let image = folder.appending("web.img")
                try bytes.write(image)
                try await body(Place(folder: folder, factory: factory, image: image))
            }
        }

        /// Brings the image through without a guest.
        func configure(
            _ change: (inout ImageConfigurationRequest) -> Void = { _ in }
        ) async throws -> ConfiguredImage {
            var request = ImageConfigurationRequest(image: image, bootsWithoutSeed: false)
            change(&request)
            return try await factory.configure(request) { _ in }
        }

        func failure(
            _ change: (inout ImageConfigurationRequest) -> Void
        ) async -> ImageConfigurationFailure? {
            await #expect(throws: ImageConfigurationFailure.self) { _ = try await configure(change) }
        }

        var digest: Digest { get throws { Digest(of: try RepositoryFiles.bytes(image)) } }

        var names: [String] { Scratch.names(folder) }

        var isTidy: Bool {
            ["work", "ledger"].allSatisfy { Scratch.names(factory.store.appending($0)).isEmpty }
        }
    }

    @Test(arguments: ImageFormat.allCases)
    func `The result has the format of the image and takes its place`(format: ImageFormat) async throws {
        try await Place.with { place in
            let making = Command("qemu-img", ["create", "-q", "-f", format.driver, place.image.string, "4M"])
            try await CommandRunner().runChecked(making, activity: "preparing a test")
            #expect(chmod(place.image.string, 0o640) == 0)
            let made = try await place.configure { $0.format = format }
            #expect(made.image.lastComponent == "web.img" && !made.wasUpToDate)
            #expect(try place.digest == made.digest)
            let facts = try await ImageInspection(runner: place.factory.runner, executable: builtExecutable())
                .inspect(place.image)
            #expect(facts.format == format.rawValue)
            var status = stat()
            #expect(stat(place.image.string, &status) == 0 && status.st_mode & 0o777 == 0o640)
            #expect(place.names == ["web.img", "web.img.configured.json"] && place.isTidy)
        }
    }

    @Test func `With an output the image stays what it is`() async throws {
        try await Place.with { place in
            let before = try place.digest
            let output = place.folder.appending("new/web.qcow2")
            let made = try await place.configure { $0.output = output }
            #expect(try place.digest == before)
            #expect(Digest(of: try RepositoryFiles.bytes(output)) == made.digest)
        }
    }

    @Test func `A link to an image stays a link`() async throws {
        try await Place.with { place in
            let link = place.folder.appending("link.img")
            #expect(symlink("web.img", link.string) == 0)
            let made = try await place.configure { $0.image = link }
            var facts = stat()
            #expect(lstat(link.string, &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK)
            #expect(try place.digest == made.digest)
        }
    }

    @Test func `What was done is not done again until something is another thing`() async throws {
        try await Place.with { place in
            let first = try await place.configure()
            let again = try await place.configure()
            #expect(again.wasUpToDate && again.digest == first.digest && again.findings == first.findings)
            #expect(await place.failure { $0.reset = .defaults }?.reason == .reset)
            try ImageBytes.qcow2.text(5 << 16, "changed").write(place.image)
            #expect(!(try await place.configure()).wasUpToDate)
        }
    }

    @Test func `What is said of an output counts only for that input and that output`() async throws {
        try await Place.with { place in
            let output = place.folder.appending("out.qcow2")
            _ = try await place.configure { $0.output = output }
            #expect(try await place.configure { $0.output = output }.wasUpToDate)
            try Scratch.write("something else", output)
            let repaired = try await place.configure { $0.output = output }
            #expect(!repaired.wasUpToDate)
            #expect(Digest(of: try RepositoryFiles.bytes(output)) == repaired.digest)
        }
    }

    @Test func `The seed is written down for the user`() async throws {
        try await Place.with { place in
            let data = place.folder.appending("some-name")
            try Scratch.write("packages: [hello]\n", data)
            let seed = place.folder.appending("seed/cidata.iso")
            let request = ImageConfigurationRequest(
                image: place.image, seed: [.userData: data], bootsWithoutSeed: false, seedOutput: seed)
            let notes = Mutex<[String]>([])
            // It fails later: there is no cloud-init in the image, and no system.
            await #expect(throws: ImageConfigurationFailure.self) {
                _ = try await place.factory.configure(request) { note in notes.withLock { $0.append(note) } }
            }
            #expect(
                notes.withLock { $0 }.first?.hasPrefix("\(data):1:1: warning: the first line is 'packages:") == true)
            let image = try RepositoryFiles.bytes(seed)
            #expect(Array(image[32769..<32774]) == Array("CD001".utf8))
            #expect(String(decoding: image, as: UTF8.self).contains("instance-id: imgf-"))
        }
    }

    @Test func `What is not there, or cannot be read, is told apart, and the image is untouched`() async throws {
        try await Place.with { place in
            let before = try place.digest
            let none = place.folder.appending("none")
            #expect(await place.failure { $0.image = none }?.reason == .pathNotFound(none.string))
            #expect(await place.failure { $0.seed = [.metaData: none] }?.reason == .pathNotFound(none.string))
            #expect(
                await place.failure { $0.seed = [.metaData: place.folder] }?.reason == .load(place.folder.string))
            #expect(await place.failure { $0.image = place.folder }?.reason == .load(place.folder.string))
            let file = place.image.appending("below")
            #expect(await place.failure { $0.output = file }?.reason == .create(place.image.string))
            let claimed = await place.failure { $0.format = .raw }
            #expect(claimed?.reason == .load(place.image.string))
            #expect(claimed?.message.contains("said to be raw and is qcow2") == true)
            #expect(try place.digest == before && place.names == ["web.img"])
        }
    }
}
