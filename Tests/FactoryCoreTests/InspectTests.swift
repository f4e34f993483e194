import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@testable import FactoryCore

@Suite struct InspectTests {
    private static let files = [
        "web-1.0.tar", "web-1.0.tar.sha256sum", "web-1.0.tar.zst", "web-1.0.tar.zst.sha256sum",
        "web-1.0.lock", "web-1.0.sbom.spdx.json", "web-1.0.provenance.json", "web-1.0.manifest.json",
    ]

    /// Bits spread over a whole file, each of its first and last 6 bytes among them.
    private func positions(_ count: Int) -> [Int] {
        let ends = (0..<min(6, count)).flatMap { [$0, count - 1 - $0] }
        let spread = stride(from: 0, to: count, by: max(1, count / 12))
        return Set(ends + spread).sorted().map { $0 * 8 + ($0 &* 2_654_435_761 >> 7) % 8 }
    }

    @Test(arguments: files) func `A flipped bit is found wherever it is`(file: String) async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            let bytes = try RepositoryFiles.bytes(build.output.appending(file))
            let base = try #require(PublishedName(file)?.file)
            for bit in positions(bytes.count) {
                try build.flip(file, bit: bit, in: bytes)
                let problems = try await build.problems()
                #expect(problems.contains { $0.hasPrefix(base + ": ") }, "bit \(bit)")
            }
            try build.overwrite(file, bytes)
            #expect(try await build.problems() == [])
        }
    }

    @Test func `A cut or missing file is named`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            for file in Self.files where !file.hasSuffix(".sha256sum") {
                let path = build.output.appending(file)
                let bytes = try RepositoryFiles.bytes(path)
                for count in [0, 1, bytes.count - 1] {
                    try build.overwrite(file, Array(bytes.prefix(count)))
                    let problems = try await build.problems()
                    #expect(problems.contains { $0.hasPrefix(file + ": ") }, "\(file) of \(count) bytes")
                }
                unlink(path.string)
                let problems = try await build.problems()
                // Nothing names the manifest.
                #expect(problems.contains { $0.hasPrefix(file + ": it is missing") } || file.hasSuffix("manifest.json"))
                try DurableFile.write(bytes, to: path)
            }
        }
    }

    @Test func `Of an image alone its header is told`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            for name in Scratch.names(build.output) where name != "web-1.0.tar" {
                unlink(build.output.appending(name).string)
            }
            let inspection = try await build.factory.inspect(build.output.appending("web-1.0.tar"), publicKey: nil)
            let file = try #require(inspection.publications.first?.files.first)
            #expect(inspection.problems.isEmpty && inspection.publications[0].build == nil)
            #expect(file.format == "tar" && file.agreements.isEmpty && file.notes == ["no checksum beside it"])
            #expect(file.digest == Digest(of: FinishedBuild.content("web-1.0.tar")))
        }
    }

    @Test(arguments: ["web-1.0.tar", "web-1.0.tar.sha256sum", "web-1.0.tar.minisig"])
    func `Of an image, and what is named after it, the others are not asked for`(name: String) async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            try Scratch.write("", build.output.appending("web-1.0.tar.minisig"))
            unlink(build.output.appending("web-1.0.tar.zst").string)
            #expect(try await build.problems(name) == [])
            #expect(try await build.problems("web-1.0.manifest.json") == ["web-1.0.tar.zst: it is missing"])
        }
    }

    @Test func `A file that is not what its name says is told`() async throws {
        try await FinishedBuild.with { build in
            try Folder.make(build.output)
            try DurableFile.write(FinishedBuild.content("x.tar.zst"), to: build.output.appending("x.qcow2"))
            #expect(
                try await build.problems("x.qcow2") == [
                    "x.qcow2: its name says that it is qcow2, its content that it is zstd"
                ])
        }
    }

    @Test func `A file that no document names is no fault of the others, and none of theirs`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            try Scratch.write(String(repeating: "x", count: 512), build.output.appending("web-1.0.raw"))
            #expect(try await build.problems() == [])
            let inspection = try await build.factory.inspect(build.output, publicKey: nil)
            let files = inspection.publications.flatMap(\.files)
            #expect(
                files.filter { $0.file == "web-1.0.raw" }.flatMap(\.notes) == [
                    "no checksum beside it", "of another build: no document here names it",
                ])
            #expect(try await build.problems("web-1.0.raw").contains("web-1.0.raw: the manifest does not name it"))
            try Scratch.write("\(Digest(of: []).hex)  web-1.0.raw\n", build.output.appending("web-1.0.raw.sha256sum"))
            #expect(
                try await build.problems() == ["web-1.0.raw: its digest is not the one in web-1.0.raw.sha256sum"])
        }
    }

    @Test func `Documents of bad will lead nowhere`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            let file = "web-1.0.provenance.json"
            let text = try Scratch.read(build.output.appending(file))
            for name in ["../../etc/passwd", "/etc/passwd", "..", "", "a\\nb", String(repeating: "x", count: 300)] {
                try build.overwrite(file, Array(text.replacing("\"web-1.0.tar\"", with: "\"\(name)\"").utf8))
                let problems = try await build.problems()
                #expect(problems.contains("web-1.0.manifest.json: it or its companions name a file elsewhere"))
                #expect(!problems.contains { $0.hasPrefix(name + ":") })
            }
            for text in [
                "", "null", "[]", "{}", "{\"packages\":[]}", String(repeating: "[", count: 100_000), "\u{0}",
                "{\"_type\":1}",
            ] {
                for file in Self.files where file.hasSuffix(".json") {
                    let bytes = try RepositoryFiles.bytes(build.output.appending(file))
                    try build.overwrite(file, Array(text.utf8))
                    let problems = try await build.problems()
                    #expect(problems.contains { $0.hasPrefix(file + ": ") })
                    try build.overwrite(file, bytes)
                }
            }
        }
    }

    @Test func `A pipe in the place of a file is not waited for`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            for file in Self.files {
                let path = build.output.appending(file)
                let bytes = try RepositoryFiles.bytes(path)
                unlink(path.string)
                mkfifo(path.string, 0o644)
                #expect(try await build.problems().contains { $0.hasPrefix(PublishedName(file)?.file ?? "-") })
                unlink(path.string)
                try DurableFile.write(bytes, to: path)
            }
        }
    }

    @Test func `What cannot be inspected is refused`() async throws {
        try await FinishedBuild.with { build in
            try Folder.make(build.output)
            for (path, key) in [
                ("/nowhere", nil), (build.output.string, nil), ("/dev/null", nil), ("/etc/passwd", "/etc/passwd"),
            ] {
                await #expect(throws: FactoryError.self) {
                    try await build.factory.inspect(FilePath(path), publicKey: key)
                }
            }
        }
    }
}

@Suite struct PublishedNameTests {
    @Test(arguments: [
        ("web-1.0.qcow2", "web-1.0", "web-1.0.qcow2", InspectedFile.Kind.artifact),
        ("web-1.0.tar.zst", "web-1.0", "web-1.0.tar.zst", .artifact),
        ("web-1.0.tar.zst.sha256sum", "web-1.0", "web-1.0.tar.zst", .artifact),
        ("web-1.0.manifest.json.minisig", "web-1.0", "web-1.0.manifest.json", .manifest),
        ("web-1.0.sbom.spdx.json", "web-1.0", "web-1.0.sbom.spdx.json", .sbom),
        ("web-1.0.provenance.json", "web-1.0", "web-1.0.provenance.json", .provenance),
    ])
    func `A name tells what a file is and what it belongs to`(
        name: String, stem: String, file: String, kind: InspectedFile.Kind
    ) {
        let published = PublishedName(name)
        #expect(published?.stem == stem && published?.file == file && published?.kind == kind)
    }

    @Test(arguments: ["README", "web.json", "web-1.0", ".minisig", "web.txt"])
    func `Other names tell nothing`(name: String) {
        #expect(PublishedName(name) == nil)
    }
}
