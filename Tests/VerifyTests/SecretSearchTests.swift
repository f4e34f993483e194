import DiskFormats
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Verify

@Suite struct SecretSearchTests {
    private static let secret = Array("correct horse battery".utf8)

    /// A file of zeroes with some bytes in it, searched for the secret in all forms.
    private func found(_ places: [(UInt64, [UInt8])], size: Int64 = 4 << 20) async throws -> [String] {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("file")
            let file = try FileDescriptor.open(path, .readWrite, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter {
                #expect(ftruncate(file.rawValue, off_t(size)) == 0)
                for (offset, bytes) in places { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
            }
            return try SecretSearch.names(of: [.init(name: "token", value: Self.secret)], in: path)
        }
    }

    /// Around the borders of the chunks in which a file is read, a mebibyte each.
    private static let places: [UInt64] = [
        0, 1, 4095, 1_048_555, 1_048_556, 1_048_566, 1_048_575, 1_048_576, 4_194_283,
    ]

    @Test(arguments: places)
    func `A secret is found wherever it begins`(offset: UInt64) async throws {
        #expect(try await found([(offset, Self.secret)]) == ["token"])
    }

    @Test func `What is cut off is no secret`() async throws {
        #expect(try await found([(100, Array(Self.secret.dropLast())), (5000, Array(Self.secret.dropFirst()))]) == [])
    }

    /// By another encoder than ours.
    @Test(arguments: [
        "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", "YWNvcnJlY3QgaG9yc2UgYmF0dGVyeWI=", "YWFjb3JyZWN0IGhvcnNlIGJhdHRlcnliYg==",
    ])
    func `A secret is found in base64 wherever it begins in the text`(text: String) async throws {
        #expect(try await found([(12345, Array(text.utf8))]) == ["token"])
    }

    @Test func `A secret is found in UTF-16`() async throws {
        #expect(try await found([(777, Self.secret.flatMap { [$0, 0] })]) == ["token"])
    }

    @Test func `A short secret has no forms, for it would be found by chance`() {
        #expect(SecretForms.all(Array("1234567".utf8)).isEmpty)
        #expect(SecretForms.all(Array("12345678".utf8)).allSatisfy { $0.bytes.count >= 8 })
    }

    /// Against a search that tries every place.
    @Test(arguments: 0..<20)
    func `Many patterns are found as by looking everywhere`(seed: Int) async throws {
        var state = UInt64(seed + 1)
        func random(_ limit: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % limit)
        }
        // Of two letters, so that patterns overlap and come often.
        let text = (0..<3000).map { _ in UInt8(97 + random(2)) }
        let patterns = (0..<12).map { _ in (0..<(4 + random(9))).map { _ in UInt8(97 + random(2)) } }
        try await Scratch.with { scratch in
            let path = scratch.path.appending("text")
            try Scratch.write(String(decoding: text, as: UTF8.self), path)
            let file = try FileDescriptor.open(path, .readOnly)
            let hits = try file.closeAfter {
                try SecretSearch.run(patterns, in: file, extents: [0..<3000], most: 1 << 16)
            }
            var expected: Set<SecretSearch.Hit> = []
            for (number, pattern) in patterns.enumerated() {
                for at in text.indices where text[at...].starts(with: pattern) {
                    expected.insert(.init(offset: UInt64(at), pattern: number))
                }
            }
            #expect(Set(hits) == expected)
            #expect(hits.count == expected.count)
        }
    }
}

@Suite struct PrivateKeyTests {
    private static let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"

    @Test(arguments: ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
    func `A key is known by its header and what follows`(kind: String) {
        #expect(PrivateKey.isIn(Array("x\n-----BEGIN \(kind)PRIVATE KEY-----\n\(Self.body)\n".utf8)))
        #expect(PrivateKey.isIn(Array("-----BEGIN \(kind)PRIVATE KEY-----\r\n\(Self.body)\r\n".utf8)))
    }

    @Test func `An encrypted key is one`() {
        #expect(PrivateKey.isIn(Array("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".utf8)))
    }

    @Test(arguments: [
        "-----BEGIN PRIVATE KEY-----\0-----END", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n\(body)\n", "-----END PRIVATE KEY-----\n\(body)\n",
        "-----BEGIN PRIVATE KEY-----",
    ])
    func `What is only like one is none`(text: String) { #expect(!PrivateKey.isIn(Array(text.utf8))) }
}
