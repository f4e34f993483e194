import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// Images that must not be let in, as inputs of configure-vm-image.
@Suite struct ConfigurationInputTests {
    /// Expects a refusal for the reason, and that the image is what and where it was, and alone.
    private static func refuse(
        _ place: ImageConfigurationTests.Place, as format: ImageFormat?, _ reason: String,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try place.digest
        let failure = await place.failure { $0.format = format }
        #expect(failure?.reason == .load(place.image.string), sourceLocation: location)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")", sourceLocation: location)
        #expect(try place.digest == before, sourceLocation: location)
        #expect(place.names == ["web.img"] && place.isTidy, sourceLocation: location)
        let results = place.factory.store.appending("results")
        #expect(
            Scratch.names(results).allSatisfy { Scratch.names(results.appending($0)) == [] }, sourceLocation: location)
    }

    /// Those whose fault is more than a name: here the caller says what the image is.
    private static let hostile = HostileImages.all(canary: "/tmp/canary").filter { $0.name != "footer.iso" }

    @Test(arguments: hostile)
    func `A hostile image is refused, and is what it was`(hostile: HostileImages.Image) async throws {
        try await ImageConfigurationTests.Place.with(hostile.bytes) { place in
            let claim = FilePath(hostile.name).extension.flatMap(ImageFormat.init(named:))
            try await Self.refuse(place, as: claim, hostile.reason)
        }
    }

    @Test(arguments: [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst")])
    func `A file that is compressed is refused and not unpacked, whatever it would grow to`(
        program: String, ending: String
    ) async throws {
        try await ImageConfigurationTests.Place.with { place in
            let plain = place.folder.appending("bomb")
            try Scratch.write("", plain)
            #expect(truncate(plain.string, 160 << 20) == 0)
            let packing = Command(program, ["-q", "-1", plain.string], timeout: .seconds(60))
            try await CommandRunner().runChecked(packing, activity: "preparing a test")
            unlink(plain.string)
            #expect(rename(plain.string + "." + ending, place.image.string) == 0)
            for format in [nil, ImageFormat.raw, .qcow2] {
                try await Self.refuse(place, as: format, "it is compressed (\(program)): unpack it first")
            }
        }
    }
}
