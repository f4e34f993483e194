import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Transfer

@Suite struct ChecksumListTests {
    private static let one = String(repeating: "1", count: 64)
    private static let two = String(repeating: "2", count: 64)
    private static let long = String(repeating: "3", count: 128)

    @Test(
        arguments: [
            ("\(one)  linux\n", one), ("\(one) *linux\r\n", one), ("\(one)  ./netboot/linux\n", one),
            ("SHA256 (linux) = \(one)\n", one), ("SHA3-256 (linux) = \(two)\n", two),
            ("# a remark\n\(two)  other/linux\n\(one)  linux\n", one),
            ("\(two)  linux\n\(one)  netboot/linux\n", one), ("\(one)  linux\nSHA512 (linux) = \(long)\n", long),
            ("\(one)  linux.old\n", nil), ("\(one)linux\n", nil), ("12  linux\n", nil), ("", nil),
        ])
    func `The line of a file is found by the end of its address`(text: String, digits: String?) {
        let entries = ChecksumEntry.entries(of: Array(text.utf8), algorithm: nil)
        #expect(ChecksumEntry.value(in: entries, for: "/debian/netboot/linux", isName: false)?.digits == digits)
    }

    @Test func `A name that is given is the only one that counts`() {
        let entries = ChecksumEntry.entries(
            of: Array("\(Self.one)  linux\n\(Self.two)  a/linux\n".utf8), algorithm: nil)
        #expect(ChecksumEntry.value(in: entries, for: "linux", isName: true)?.digits == Self.one)
        #expect(ChecksumEntry.value(in: entries, for: "b/a/linux", isName: true) == nil)
    }

    /// A file, its list, and the list's signatures by a key that was made for the test.
    private struct Signed {
        let sources: Sources
        let keys: FilePath
        let armoured: FilePath

        static func with(_ body: (Signed) async throws -> Void) async throws {
            try await Sources.with { sources in
                let home = sources.root.appending("gnupg")
                mkdir(home.string, 0o700)
                let signed = Signed(
                    sources: sources, keys: sources.root.appending("keys.gpg"),
                    armoured: sources.root.appending("keys.asc"))
                func gpg(_ program: String, _ arguments: [String]) async throws {
                    let command = Command(program, arguments, environment: ["GNUPGHOME": home.string])
                    try await CommandRunner(proxies: [:]).runChecked(command, activity: "preparing a test")
                }
                try Scratch.write("a kernel", signed.path("linux"))
                try Scratch.write("\(Digest(of: Array("a kernel".utf8)).hex)  linux\n", signed.path("SHA256SUMS"))
                let quiet = ["--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
                for name in ["right", "wrong"] {
                    try await gpg("gpg", quiet + ["--quick-generate-key", "\(name) <\(name)@example.org>", "ed25519"])
                    let user = quiet + ["--local-user", name, "--output"]
                    let (list, made) = (signed.path("SHA256SUMS").string, signed.path("SHA256SUMS.\(name)").string)
                    try await gpg("gpg", user + [made + ".gpg", "--detach-sign", list])
                    try await gpg("gpg", user + [made + ".asc", "--armor", "--detach-sign", list])
                    try await gpg("gpg", user + [made, "--clear-sign", list])
                }
                try await gpg("gpg", quiet + ["--output", signed.keys.string, "--export", "right"])
                try await gpg("gpg", quiet + ["--output", signed.armoured.string, "--armor", "--export", "right"])
                try await gpg("gpgconf", ["--kill", "all"])
                try await body(signed)
            }
        }

        func path(_ name: String) -> FilePath { sources.root.appending(name) }
        func source(_ name: String) -> Source { Source(.file, path(name).string) }

        func checksum(_ list: String, signature: String?, keys: FilePath) -> Checksum {
            .listed(
                .init(source(list), signature: .init(keyring: keys, detached: signature.map { source($0) })))
        }
    }

    @Test func `A list that a key of the keyring has signed is believed, whatever the form`() async throws {
        try await Signed.with { signed in
            for keys in [signed.keys, signed.armoured] {
                for (list, signature) in [
                    ("SHA256SUMS", "SHA256SUMS.right.gpg"), ("SHA256SUMS", "SHA256SUMS.right.asc"),
                    ("SHA256SUMS.right", nil),
                ] {
                    let checksum = signed.checksum(list, signature: signature, keys: keys)
                    let found = try await signed.sources.fetch(signed.source("linux"), checksum)
                    #expect(try found.bytes == Array("a kernel".utf8))
                }
            }
            #expect(signed.sources.partial == [])
        }
    }

    @Test func `A list with another signature, or none, is not believed`() async throws {
        try await Signed.with { signed in
            func problem(_ list: String, _ signature: String?) async throws -> String {
                let checksum = signed.checksum(list, signature: signature, keys: signed.keys)
                let error = try await signed.sources.failure(signed.source("linux"), checksum)
                let start = "the signature of \(signed.path(list)) does not hold: "
                #expect(error.message.hasPrefix(start))
                return String(error.message.dropFirst(start.count))
            }
            #expect(try await problem("SHA256SUMS", "SHA256SUMS.wrong.gpg").hasPrefix("the keyring has no key "))
            #expect(try await problem("SHA256SUMS.wrong", nil).hasPrefix("the keyring has no key "))
            #expect(try await problem("SHA256SUMS", nil) == "there is none")
            #expect(try await problem("SHA256SUMS", "keys.gpg") == "there is none")
            let forged = "\(Self.one)  linux\n"
            try Scratch.write(forged, signed.path("SHA256SUMS"))
            #expect(try await problem("SHA256SUMS", "SHA256SUMS.right.gpg") == "it is of other bytes")
            let message = try Scratch.read(signed.path("SHA256SUMS.right"))
            try Scratch.write(message.replacing("  linux", with: "  linus"), signed.path("SHA256SUMS.right"))
            #expect(try await problem("SHA256SUMS.right", nil) == "it is of other bytes")
            #expect(!signed.sources.kept.contains(Digest(of: Array("a kernel".utf8)).hex))
        }
    }

    @Test func `What stands outside of a signed message is not believed`() async throws {
        try await Signed.with { signed in
            let message = try Scratch.read(signed.path("SHA256SUMS.right"))
            try Scratch.write("another kernel", signed.path("initrd"))
            let forged = "\(Digest(of: Array("another kernel".utf8)).hex)  initrd\n"
            try Scratch.write(forged + "\n" + message + forged, signed.path("SHA256SUMS.right"))
            let checksum = signed.checksum("SHA256SUMS.right", signature: nil, keys: signed.keys)
            let error = try await signed.sources.failure(signed.source("initrd"), checksum)
            #expect(!error.message.isEmpty)
            #expect(!signed.sources.kept.contains(Digest(of: Array("another kernel".utf8)).hex))
        }
    }

    @Test func `A file that the list does not have, or has with other bytes, is refused`() async throws {
        try await Signed.with { signed in
            let list = Checksum.listed(.init(signed.source("SHA256SUMS")))
            let other = try await signed.sources.failure(signed.source("keys.gpg"), list)
            #expect(other.message == "\(signed.path("SHA256SUMS")) has no checksum of \(signed.path("keys.gpg"))")
            try Scratch.write("forged", signed.path("linux"))
            let error = try await signed.sources.failure(signed.source("linux"), list)
            #expect(error.message.hasPrefix("the SHA-256 of \(signed.path("linux")) is "))
        }
    }
}
