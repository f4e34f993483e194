import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

/// gen-vm-image and a server that does what servers and networks do wrong.
@Suite struct GenVMImageDownloadTests {
    private static let size = 4 << 20
    private static let file = ServedFile(content: ServedFile.bytes(size))

    /// Runs of the built program with one store.
    private struct Place {
        let folder: FilePath

        func run(_ server: FaultServer, _ more: [String] = []) async throws -> CommandResult {
            try await CommandRunner().run(
                Command(
                    "env",
                    [
                        "-C", folder.string, builtExecutable().string, "as", "gen-vm-image", "single", "web", "4M",
                        "-i",
                        server.url("/cloud.img").location, "-of", "raw",
                    ] + more,
                    environment: ["XDG_CACHE_HOME": folder.appending("cache").string], timeout: .seconds(300)))
        }

        var images: [String] { Scratch.names(folder.appending("generated-images")) }

        /// What of the image is in the store, as a whole.
        var kept: [String] {
            Scratch.names(folder.appending("cache/image-factory/sources")).filter { $0.utf8.count == 64 }
        }

        var isWhole: Bool {
            get throws {
                try RepositoryFiles.bytes(folder.appending("generated-images/web.raw"))
                    == GenVMImageDownloadTests.file.content
            }
        }
    }

    private func with(_ body: (Place) async throws -> Void) async throws {
        try await Scratch.with { try await body(Place(folder: $0.path)) }
    }

    private static var checksum: [String] {
        get throws { ["-ict", "sha256", "-ic", try digest(file.content)] }
    }

    private static func digest(_ bytes: [UInt8]) throws -> String { Digest(of: bytes).hex }

    @Test(arguments: [ServedFile.Ending.closed, .reset])
    func `A download that is cut off goes on where it was, and the image is whole`(ending: ServedFile.Ending)
        async throws
    {
        try await with { place in
            try await FaultServer.with { number, request, connection in
                Self.file.serve(request, connection, cut: number < 2 ? Self.size / 4 : nil, ending: ending)
            } _: { server in
                let result = try await place.run(server, Self.checksum)
                #expect(result.ending == .exited(0), "\(result.lastLines)")
                #expect(server.requests.count == 3)
                #expect(server.sent <= Self.size * 105 / 100)
                #expect(try place.isWhole)
            }
        }
    }

    @Test func `A run that gave up leaves what it has to the next one`() async throws {
        try await with { place in
            let isWell = Switch()
            try await FaultServer.with { number, request, connection in
                if isWell.isOn { return Self.file.serve(request, connection) }
                if number == 0 { return Self.file.serve(request, connection, cut: Self.size / 2) }
                connection.head("503 Service Unavailable", ["Retry-After: 0"])
            } _: { server in
                let failed = try await place.run(server, Self.checksum)
                #expect(failed.ending == .exited(10), "\(failed.lastLines)")
                #expect(place.images.isEmpty && place.kept.isEmpty)
                isWell.turnOn()
                let result = try await place.run(server, Self.checksum)
                #expect(result.ending == .exited(0), "\(result.lastLines)")
                #expect(server.sent <= Self.size * 105 / 100)
                #expect(try place.isWhole)
            }
        }
    }

    @Test func `Flipped bits are no image, and are not kept`() async throws {
        try await with { place in
            let isWell = Switch()
            var flipped = Self.file
            flipped.content[Self.size / 2] ^= 1
            try await FaultServer.with { [flipped] _, request, connection in
                (isWell.isOn ? Self.file : flipped).serve(request, connection)
            } _: { server in
                let failed = try await place.run(server, Self.checksum)
                #expect(failed.ending == .exited(6), "\(failed.lastLines)")
                #expect(failed.lastLines.joined().contains(try Self.digest(flipped.content)))
                #expect(place.images.isEmpty && place.kept.isEmpty)
                isWell.turnOn()
                #expect(try await place.run(server, Self.checksum).ending == .exited(0))
                #expect(try place.isWhole)
            }
        }
    }

    @Test func `What is not there leaves nothing`() async throws {
        try await with { place in
            try await FaultServer.with { _, _, connection in
                connection.head("404 Not Found", ["Content-Length: 9"])
                connection.body(Array("not found".utf8))
            } _: { server in
                let failed = try await place.run(server)
                #expect(failed.ending == .exited(10), "\(failed.lastLines)")
                #expect(server.requests.count == 1)
                #expect(place.images.isEmpty && place.kept.isEmpty)
                #expect(Scratch.names(place.folder.appending("cache/image-factory/sources/partial")).isEmpty)
            }
        }
    }

    /// The server is given up after a minute without a byte.
    @Test(.enabled(if: getenv("IMAGE_FACTORY_E2E") != nil))
    func `A download that stalls goes on`() async throws {
        try await with { place in
            try await FaultServer.with { number, request, connection in
                Self.file.serve(request, connection, cut: number == 0 ? Self.size / 2 : nil, ending: .stalled)
            } _: { server in
                let result = try await place.run(server, Self.checksum)
                #expect(result.ending == .exited(0), "\(result.lastLines)")
                #expect(server.sent <= Self.size * 105 / 100)
                #expect(try place.isWhole)
            }
        }
    }
}

/// Something that a test changes while a server answers.
private final class Switch: Sendable {
    private let state = Mutex(false)

    var isOn: Bool { state.withLock { $0 } }

    func turnOn() { state.withLock { $0 = true } }
}
