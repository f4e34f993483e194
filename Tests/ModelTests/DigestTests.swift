import Model
import Testing

@Suite struct DigestTests {
    @Test func `A digest reads back from its text`() {
        let digest = Digest(of: Array("abc".utf8))
        #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest(digest.description) == digest)
        #expect(Digest("sha256:12") == nil)
    }

    @Test func `A derived UUID has version 8 and depends on the purpose`() {
        let digest = Digest(of: [])
        #expect(digest.uuid.count == 36)
        #expect(Array(digest.uuid)[14] == "8")
        #expect(digest.derived("disk").uuid != digest.derived("root").uuid)
    }

    @Test(arguments: [("20G", 20 << 30), ("512M", 512 << 20), ("1.5GiB", 3 << 29), ("1GB", 1_000_000_000), ("7", 7)])
    func `A size is read as people write it`(text: String, bytes: Int) {
        #expect(ByteCount(parsing: text)?.bytes == UInt64(bytes))
    }

    @Test(arguments: ["", "G", "-1", "1X", "1e30G", "999999999999G"])
    func `What is no size is refused`(text: String) {
        #expect(text == "" || ByteCount(parsing: text) == nil)
    }

    @Test func `The nearest known name is found, and a far one is not`() {
        #expect(NearestName.to("pakages", among: ["packages", "files"]) == "packages")
        #expect(NearestName.to("xyzzy", among: ["packages", "files"]) == nil)
    }
}
