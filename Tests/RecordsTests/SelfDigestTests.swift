import Model
import Testing

@testable import Records

@Suite struct SelfDigestTests {
    private static let sealed = try? SelfDigest.seal(Canonical.text(["name": "web", "zeta": "1"]))

    @Test func `A sealed text is JSON and has its digest last`() throws {
        let sealed = try #require(Self.sealed)
        let bytes = Array(sealed.utf8)
        #expect(SelfDigest.problem(bytes) == nil)
        let members = try Canonical.decode([String: String].self, from: bytes)
        let digest = try #require(members["sha256"])
        let zeroed = sealed.replacing(digest, with: String(repeating: "0", count: 64))
        #expect(Digest(of: Array(zeroed.utf8)).hex == digest)
        #expect(sealed.hasSuffix("\(digest)\"\n}\n"))
        #expect(members.count == 3)
    }

    @Test func `Every flipped bit is found`() throws {
        let bytes = Array(try #require(Self.sealed).utf8)
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(SelfDigest.problem(flipped) != nil, "bit \(bit)")
        }
    }

    @Test func `What is added or cut off is found`() throws {
        let bytes = Array(try #require(Self.sealed).utf8)
        for count in 0..<bytes.count { #expect(SelfDigest.problem(Array(bytes.prefix(count))) != nil) }
        for extra in ["\n", " ", "{}"] { #expect(SelfDigest.problem(bytes + Array(extra.utf8)) != nil) }
    }
}
