import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// Images that must not be let in, as inputs of gen-vm-image and of definitions.
@Suite struct ImageInputTests {
    private static func factory(_ folder: FilePath) -> Factory {
        let runner = CommandRunner(helper: builtExecutable(), proxies: [:])
        return Factory(
            store: folder.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
            executable: builtExecutable(), clock: WallClock { 1_763_300_000 }, environment: [:])
    }

    /// Those whose fault is more than a name, which is nothing where files are known by their digests.
    private static let hostile = HostileImages.all(canary: "/tmp/canary").filter { $0.name != "footer.iso" }

    /// Asks for an image both ways; both must fail, and leave neither an image nor a part of one.
    ///
    /// - Parameter size: of the disk, which then must not become smaller.
    private static func refuse(
        _ image: FilePath, size: String?, in folder: FilePath, at location: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let (factory, out) = (factory(folder), folder.appending("out"))
        let options = SingleImageOptions(
            name: "web", size: size ?? "1G", input: image.string, inputFormat: claim(of: image), mayShrink: size == nil)
        let first = await #expect(throws: ImageGenerationFailure.self, sourceLocation: location) {
            let image = try options.image(in: "/")
            _ = try await factory.generate(
                image, to: out.appending("web.qcow2"), overwrite: true, telling: ImageNotes())
        }
        let file = folder.appending("web.yaml")
        try Scratch.write(text(image, size), file)
        let second = await #expect(throws: FactoryError.self, sourceLocation: location) {
            _ = try await factory.build(BuildRequest(definition: .file(file), output: out), consumers: [])
        }
        #expect(Scratch.names(out).isEmpty, sourceLocation: location)
        for name in ["work", "ledger"] {
            #expect(Scratch.names(factory.store.appending(name)).isEmpty, "\(name)", sourceLocation: location)
        }
        #expect(results(factory).isEmpty, sourceLocation: location)
        return [first?.message, second?.message].compactMap { $0 }
    }

    /// What the image's name says of it.
    private static func claim(of image: FilePath) -> String? {
        image.extension.flatMap(ImageFormat.init(named:))?.rawValue
    }

    private static func text(_ image: FilePath, _ size: String?) -> String {
        let format = claim(of: image).map { ", format: \($0)" } ?? ""
        let disk = size.map { "disk: {size: \($0)}" } ?? ""
        return """
            name: web
            version: "1"
            os: {distribution: linux, release: none}
            base: {image: {path: \(image)\(format), allow_shrink: \(size == nil)}}
            outputs: [raw]
            \(disk)
            """
    }

    /// All results that the store has of any step.
    private static func results(_ factory: Factory) -> [String] {
        let folder = factory.store.appending("results")
        return Scratch.names(folder).flatMap { Scratch.names(folder.appending($0)) }
    }

    @Test(arguments: hostile)
    func `A hostile image is refused as an input, and nothing is left`(hostile: HostileImages.Image) async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending(hostile.name)
            try hostile.bytes.write(image)
            let said = try await Self.refuse(image, size: nil, in: scratch.path)
            // A file that is no archive fails as one.
            let reason = hostile.name == "packed.img" ? "cannot unpack" : hostile.reason
            #expect(said.allSatisfy { $0.contains(reason) }, "\(said)")
            #expect(said.count == 2)
        }
    }

    @Test(arguments: [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst")])
    func `A file that unpacks to far more than the disk is given up, and nothing is left`(
        program: String, ending: String
    ) async throws {
        try await Scratch.with { scratch in
            let plain = scratch.path.appending("bomb")
            try Scratch.write("", plain)
            // The cap is the disk with what a format needs beside it.
            #expect(truncate(plain.string, 160 << 20) == 0)
            let packing = Command(program, ["-q", "-1", plain.string], timeout: .seconds(60))
            try await CommandRunner().runChecked(packing, activity: "preparing a test")
            let said = try await Self.refuse(FilePath(plain.string + "." + ending), size: "64M", in: scratch.path)
            #expect(said.allSatisfy { $0.contains("holds more than ") }, "\(said)")
            #expect(said.count == 2)
        }
    }
}
