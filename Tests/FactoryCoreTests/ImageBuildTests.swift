import Model
import Steps
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

/// Definitions with a base image, built whole; no guest runs.
@Suite struct ImageBuildTests {
    private struct Place {
        let folder: FilePath
        let factory: Factory

        static func with(_ body: (Place) async throws -> Void) async throws {
            try await Scratch.with { scratch in
                let runner = CommandRunner(helper: builtExecutable(), proxies: [:])
                let factory = Factory(
                    store: scratch.path.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
                    executable: builtExecutable(), clock: WallClock { 1_763_300_000 }, environment: [:])
                try await body(Place(folder: scratch.path, factory: factory))
            }
        }

        func request(_ image: String, _ more: String = "", offline: Bool = false) throws -> BuildRequest {
            let file = folder.appending("web.yaml")
            try Scratch.write(
                "name: web\nversion: \"1\"\nos: {distribution: linux, release: none}\nbase: {image: \(image)}\n"
                    + "outputs: [raw, vmdk]\nboot_check: false\n\(more)", file)
            return BuildRequest(definition: .file(file), output: folder.appending("out"), offline: offline)
        }

        func text(_ name: String) throws -> String { try Scratch.read(folder.appending("out").appending(name)) }
    }

    private static let disk = Array(repeating: UInt8(0), count: 510) + [0x55, 0xaa] + ServedFile.bytes((1 << 20) - 512)

    @Test func `An image of a path is published with what tells of it, and what was done is reused`() async throws {
        try await Place.with { place in
            let image = place.folder.appending("disk.img")
            try write(Self.disk, image)
            let request = try place.request("disk.img", "disk: {size: 64M}\n")
            let report = try await place.factory.build(request, consumers: [])
            #expect(report.artifacts.map(\.file) == ["web-1.raw", "web-1.vmdk"])
            let bytes = try RepositoryFiles.bytes(report.folder.appending("web-1.raw"))
            #expect(bytes.count == 64 << 20 && bytes.starts(with: Self.disk))
            let digest = Digest(of: Self.disk).hex
            let provenance = try place.text("web-1.provenance.json")
            #expect(provenance.contains("\"disk.img\"") && provenance.contains(digest))
            #expect(!provenance.contains(place.folder.string))
            #expect(try place.text("web-1.manifest.json").contains("\"isAdvisory\" : true"))
            #expect(
                Scratch.names(report.folder) == [
                    "web-1.manifest.json", "web-1.provenance.json", "web-1.raw", "web-1.raw.sha256sum", "web-1.vmdk",
                    "web-1.vmdk.sha256sum",
                ])
            let (_, steps) = try await place.factory.explain(request)
            #expect(steps.map(\.step) == ["import", "verify", "digest-raw", "export-vmdk"])
            #expect(steps.allSatisfy { $0.cached })
        }
    }

    @Test func `An image of the network is there offline, too`() async throws {
        try await Place.with { place in
            var image = ""
            let served = ServedFile(content: Self.disk)
            try await FaultServer.with { _, request, connection in
                served.serve(request, connection)
            } _: { server in
                image = server.url("/disk.img").location
                _ = try await place.factory.build(try place.request(image), consumers: [])
            }
            let again = try await place.factory.build(try place.request(image, offline: true), consumers: [])
            #expect(again.steps.allSatisfy { $0.reused })
            #expect(try place.text("web-1.provenance.json").contains("/disk.img"))
        }
    }

    @Test func `Bytes that a checksum does not know are not built`() async throws {
        try await Place.with { place in
            try write(Self.disk, place.folder.appending("disk.img"))
            let other = Digest(of: [1]).hex
            let error = await #expect(throws: FactoryError.self) {
                let request = try place.request("{path: disk.img, checksum: \(other)}")
                _ = try await place.factory.build(request, consumers: [])
            }
            #expect(error?.message.contains(other) == true)
            #expect(Scratch.names(place.folder.appending("out")).isEmpty)
        }
    }

    @Test func `A path that leads nowhere is told before anything is made`() async throws {
        try await Place.with { place in
            let error = await #expect(throws: FactoryError.self) {
                _ = try await place.factory.build(try place.request("none.img"), consumers: [])
            }
            #expect(error?.code == .missingInput)
            #expect(error?.message.contains("the base image \(place.folder)/none.img: No such file") == true)
            #expect(Scratch.names(place.folder) == ["web.yaml"])
        }
    }

    @Test func `What is wrong with the files for cloud-init is told before anything boots`() async throws {
        try await Place.with { place in
            try write(Self.disk, place.folder.appending("disk.img"))
            let data = place.folder.appending("data")
            try Scratch.write("#cloud-config\nruncmd:\n  - [ echo\nusers: }\n", data)
            let request = try place.request("disk.img", "cloud_init: {user_data: data, meta_data: meta}\n")
            try Scratch.write("[no, map]\n", place.folder.appending("meta"))
            let warnings = try await place.factory.prepare(request).warnings
            #expect(warnings.contains { $0.hasPrefix("\(data):4:") && $0.contains(": warning: ") })
            #expect(warnings.contains { $0.hasPrefix("\(place.folder)/meta:1:1: warning: cloud-init takes a map") })
        }
    }

    @Test func `There are no packages that could be locked`() async throws {
        try await Place.with { place in
            try write(Self.disk, place.folder.appending("disk.img"))
            var request = try place.request("disk.img")
            request.lock = .update
            let error = await #expect(throws: FactoryError.self) {
                _ = try await place.factory.prepare(request)
            }
            #expect(error?.message.hasSuffix("and this one is made of another image") == true)
        }
    }

    private func write(_ bytes: [UInt8], _ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }
}
