import Engine
import Glibc
import Model
import Records
import Store
import SystemPackage
import TestSupport
import Steps
import Testing

@testable import FactoryCore

@Suite struct PublicationTests {
    private static let unsigned = [
        "web-1.0.manifest.json", "web-1.0.lock", "web-1.0.provenance.json", "web-1.0.sbom.spdx.json", "web-1.0.tar",
        "web-1.0.tar.sha256sum", "web-1.0.tar.zst", "web-1.0.tar.zst.sha256sum",
    ]

    @Test func `A publication has its documents, and all fit together`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            #expect(Scratch.names(build.output) == Self.unsigned.sorted())
            #expect(try await build.problems() == [])
            let inspection = try await build.factory.inspect(build.output, publicKey: nil)
            let publication = try #require(inspection.publications.first)
            #expect(publication.build?.packages == 1)
            #expect(
                publication.files.map(\.agreements) == [
                    ["checksum", "manifest", "SBOM", "provenance"], ["checksum", "manifest", "SBOM", "provenance"],
                    ["own digest"], ["manifest"], ["manifest", "provenance"], ["manifest"],
                ])
        }
    }

    @Test func `The documents of an equal build are the same, whatever was reused`() async throws {
        try await FinishedBuild.with { build in
            try await build.publish()
            let first = try Self.unsigned.map { try Scratch.read(build.output.appending($0)) }
            try await build.publish(reused: ["bootstrap"])
            let second = try Self.unsigned.map { try Scratch.read(build.output.appending($0)) }
            #expect(first[0] != second[0])
            #expect(first.dropFirst() == second.dropFirst())
            #expect(try await build.problems() == [])
        }
    }

    @Test func `Variables are told, secrets are not`() {
        let variables = [
            ("who", "me"), ("hash", "$6$salt$value"), ("salt", "salt"), ("line", "x $6$salt$value"), ("none", ""),
        ]
        #expect(
            ImageRecord.told(variables, ["$6$salt$value", ""]) == [
                "who": "me", "hash": "***", "salt": "***", "line": "***", "none": "",
            ])
    }

    @Test func `A secret given by a variable stands in no document`() async throws {
        try await FinishedBuild.with { build in
            build.prepared.secrets = [SecretValue(name: "token", value: "me")]
            try await build.publish()
            let told = try Scratch.read(build.output.appending("web-1.0.provenance.json"))
            #expect(told.contains("\"who\" : \"***\""))
        }
    }

    @Test func `Before an artifact is replaced, what tells of the old one is taken away`() async throws {
        try await FinishedBuild.with { build in
            let keys = try await build.makeKeys("a")
            try await build.publish(key: keys.secret)
            // The second artifact cannot be published: what is there then must not contradict itself.
            try build.make("web-1.0.tar", FinishedBuild.content("web-1.0.tar", "again"))
            try build.make("web-1.0.tar.zst", FinishedBuild.content("web-1.0.tar.zst", "again"))
            let source = try #require(build.results["pack"]?.folder.appending("tree.tar.zst"))
            try DurableFile.write(Array("not what its digest says".utf8), to: source)
            let broken = build
            await #expect(throws: FactoryError.self) { try await broken.publish(key: keys.secret) }
            #expect(
                Scratch.names(build.output) == [
                    "web-1.0.tar", "web-1.0.tar.sha256sum", "web-1.0.tar.zst", "web-1.0.tar.zst.minisig",
                    "web-1.0.tar.zst.sha256sum",
                ])
            #expect(try await build.problems() == [])
        }
    }
}

@Suite struct SignatureTests {
    @Test func `Signed files are accepted with their key, and with no other`() async throws {
        try await FinishedBuild.with { build in
            let (keys, other) = (try await build.makeKeys("a"), try await build.makeKeys("b"))
            try await build.publish(key: keys.secret)
            let signed = ["web-1.0.manifest.json", "web-1.0.tar", "web-1.0.tar.zst"]
            #expect(Scratch.names(build.output).filter { $0.hasSuffix(".minisig") } == signed.map { $0 + ".minisig" })
            #expect(try await build.problems(publicKey: keys.public) == [])
            let problems = try await build.problems(publicKey: other.public)
            #expect(Set(problems) == Set(signed.map { "\($0): its signature is of another key" }))
            let text = try Scratch.read(keys.public).split(separator: "\n").last.map(String.init)
            #expect(try await build.factory.inspect(build.output, publicKey: text).problems.isEmpty)
        }
    }

    @Test func `What is not signed is not accepted where a key is given`() async throws {
        try await FinishedBuild.with { build in
            let keys = try await build.makeKeys("a")
            try await build.publish()
            let problems = try await build.problems(publicKey: keys.public)
            #expect(problems.count == 3 && problems.allSatisfy { $0.hasSuffix(": it is not signed") })
        }
    }

    @Test func `The signature of another file or of other bytes is found`() async throws {
        try await FinishedBuild.with { build in
            let keys = try await build.makeKeys("a")
            try build.make("web-1.0.tar", FinishedBuild.content("web-1.0.tar.zst"))
            try await build.publish(key: keys.secret)
            // The same bytes under another name, with their signature.
            let signature = try RepositoryFiles.bytes(build.output.appending("web-1.0.tar.minisig"))
            try build.overwrite("web-1.0.tar.zst.minisig", signature)
            let moved = try await build.problems("web-1.0.tar.zst", publicKey: keys.public)
            #expect(moved == ["web-1.0.tar.zst: its signature was made for another file"])
            var broken = signature
            broken[60] = broken[60] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            try build.overwrite("web-1.0.tar.zst.minisig", broken)
            let damaged = try await build.problems("web-1.0.tar.zst", publicKey: keys.public)
            #expect(damaged == ["web-1.0.tar.zst: its signature is not valid"])
        }
    }

    @Test func `An unchanged build keeps its signatures byte for byte`() async throws {
        try await FinishedBuild.with { build in
            let keys = try await build.makeKeys("a")
            try await build.publish(key: keys.secret)
            let names = Scratch.names(build.output)
            let first = try names.map { try RepositoryFiles.bytes(build.output.appending($0)) }
            var before = stat()
            stat(build.output.appending("web-1.0.tar.minisig").string, &before)
            try await build.publish(key: keys.secret)
            var after = stat()
            stat(build.output.appending("web-1.0.tar.minisig").string, &after)
            #expect(try names.map { try RepositoryFiles.bytes(build.output.appending($0)) } == first)
            #expect(before.st_ino == after.st_ino)
        }
    }

    @Test func `A key that cannot sign is told before the work`() async throws {
        try await FinishedBuild.with { build in
            let keys = try await build.makeKeys("a")
            let (runner, store) = (build.factory.runner, build.store)
            func failure(_ key: FilePath) async -> String? {
                do {
                    let signer = Signer(Signing(key: key.string), runner: runner)
                    try await store.withWorkFolder { try await signer.tryOut(in: $0) }
                    return nil
                } catch { return "\(error)" }
            }
            #expect(await failure(keys.secret) == nil)
            #expect(await failure(keys.public)?.hasPrefix("cannot sign with the key \(keys.public): ") == true)
            #expect(await failure("/nowhere/x") == "cannot read the signing key /nowhere/x: No such file or directory")
            #expect(Folder.names(store.root.appending("work")).isEmpty)
        }
    }
}
