import DiskFormats
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct NoCloudSeedTests {
    private static let instance = "imgf-1"

    private func text(_ metaData: String) -> String {
        String(decoding: NoCloudSeed.metaData(Array(metaData.utf8), instance: Self.instance), as: UTF8.self)
    }

    @Test(arguments: [
        ("", "instance-id: imgf-1\n"), ("# note", "# note\ninstance-id: imgf-1\n"),
        ("local-hostname: one\n", "instance-id: imgf-1\nlocal-hostname: one\n"),
        ("---\nlocal-hostname: one\n", "---\ninstance-id: imgf-1\nlocal-hostname: one\n"),
        ("  a: 1\n  b: 2\n", "  instance-id: imgf-1\n  a: 1\n  b: 2\n"),
        ("a:\n  instance-id: nested\n", "instance-id: imgf-1\na:\n  instance-id: nested\n"),
        ("{\"a\": 1}", "{\"instance-id\": \"imgf-1\", \"a\": 1}"), ("{}\n", "{\"instance-id\": \"imgf-1\", }\n"),
    ])
    func `Meta-data without an instance gets one`(_ before: String, _ after: String) {
        #expect(text(before) == after)
    }

    @Test(arguments: [
        "instance-id: mine\n", "local-hostname: one\n\"instance-id\": mine\n", "{\"a\": 1, \"instance-id\": \"mine\"}",
        "{\n  \"instance-id\" : \"mine\"\n}\n", "---\ninstance-id: mine",
    ])
    func `An instance that has a name keeps it`(_ metaData: String) {
        #expect(text(metaData) == metaData)
    }

    @Test func `A new instance has a name of its own`() throws {
        let names = (0..<100).map { _ in NoCloudSeed.newInstance() }
        #expect(Set(names).count == 100)
        let pattern = /imgf-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(try names.allSatisfy { try pattern.wholeMatch(in: $0) != nil })
    }

    @Test(arguments: NoCloudSeed.Format.allCases)
    func `Both files that cloud-init needs are there, under their names, and the bytes are the same each time`(
        _ format: NoCloudSeed.Format
    ) async throws {
        let files: [SeedFile.Kind: [UInt8]] = [.vendorData: Array("#cloud-config\n".utf8)]
        let image = try NoCloudSeed.image(format, files, instance: Self.instance)
        #expect(try NoCloudSeed.image(format, files, instance: Self.instance) == image)
        #expect(try NoCloudSeed.image(format, files, instance: "imgf-2") != image)
        for (name, content) in [
            ("user-data", "#cloud-config\n{}\n"), ("meta-data", "instance-id: imgf-1\n"),
            ("vendor-data", "#cloud-config\n"),
        ] {
            #expect(try await self.content(name, of: image, format) == content, "\(name)")
        }
        #expect(try await self.content("network-config", of: image, format) == nil)
    }

    private func content(
        _ name: String, of image: [UInt8], _ format: NoCloudSeed.Format
    ) async throws -> String? {
        switch format {
        case .iso:
            let disc = ByteFields(image)
            let reader = try #require(try ISO9660Reader(disc))
            return try reader.find(name).map {
                String(decoding: disc.bytes(at: $0.offset, count: Int($0.size)).content, as: UTF8.self)
            }
        case .fat:
            return try await Scratch.with { scratch in
                let file = scratch.path.appending("seed.img")
                try SmallFile.create(file, image)
                let result = try await CommandRunner().run(Command("mtype", ["-i", file.string, "::\(name)"]))
                return result.succeeded ? String(decoding: result.standardOutput, as: UTF8.self) : nil
            }
        }
    }

    @Test func `Files that are too large are refused with a way out`() throws {
        let error = #expect(throws: FactoryError.self) {
            try NoCloudSeed.image(.fat, [.userData: [UInt8](repeating: 1, count: 20 << 20)], instance: "i")
        }
        #expect(error?.remedy?.contains("#include") == true)
    }

    @Test(arguments: [
        ("#cloud-config\n", UserDataKind.cloudConfig), ("#cloud-config-archive\n", .other), ("#!/bin/sh\n", .script),
        ("#include\nhttp", .other), ("## template: jinja\n#cloud-config\n", .other), ("#part-handler\n", .other),
        ("#cloud-boothook\n", .other), ("Content-Type: multipart/mixed\nMIME-Version: 1.0\n", .mime),
        ("\u{1f}", .unknown), ("", .empty), (" \n", .empty), ("# cloud-config\n", .unknown), ("users: []\n", .unknown),
    ])
    func `The first bytes tell the kind`(_ text: String, _ kind: UserDataKind) {
        #expect(UserDataKind(Array(text.utf8)) == kind)
    }

    @Test func `Compressed files are known`() { #expect(UserDataKind([0x1f, 0x8b, 8]) == .compressed) }

    @Test func `An unknown first line and tabs are warnings at their places`() {
        let unknown = SeedCheck.warnings(.userData, Array("users: []\n".utf8), file: "/u")
        #expect(
            unknown.map(\.description) == [
                "/u:1:1: warning: the first line is 'users: []', which cloud-init does not know: it ignores the file; "
                    + "'#cloud-config' may be meant"
            ])
        let tab = SeedCheck.warnings(.userData, Array("#cloud-config\na:\n \t- b\n".utf8), file: "/u")
        #expect(tab.map(\.description) == ["/u:3:2: warning: a tab indents this line, which YAML forbids"])
        #expect(SeedCheck.warnings(.userData, Array("#!/bin/sh\n\techo\n".utf8), file: "/u") == [])
        #expect(SeedCheck.warnings(.metaData, Array("instance-id: a\n".utf8), file: "/m") == [])
    }

    @Test func `The schema's faults keep their lines`() {
        let told = [
            "Error:", "Cloud config schema errors: format-l3.c1: Invalid format, packages: 1 is not of type 'array'",
        ]
        #expect(
            SeedCheck.faults(told, file: "/u").map(\.description) == [
                "/u:3:1: warning: cloud-init schema: format-l3.c1: Invalid format",
                "/u:1:1: warning: cloud-init schema: packages: 1 is not of type 'array'",
            ])
    }
}
