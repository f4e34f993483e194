import Model
import SystemPackage
import TestSupport
import Testing

@testable import Transfer

@Suite struct HashTests {
    /// As Python's hashlib has them, of bytes that are 7 · i + 3; the lengths are around the functions' blocks.
    private static let known: [(HashAlgorithm, Int, String)] = [
        // swift-format-ignore
        (.md5, 0, "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, 128, "10b2da1a82f16d99a81a7203fe9f02cb"),
        (.md5, 144, "00a6351f7b12333eacdd669528b87221"),
        (.md5, 1000, "10046f077f2082ac19676b8079f1cb1a"),
        (.sha1, 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (.sha1, 128, "a09133e6730ffe899efb70204cb5646cd5dc24ee"),
        (.sha1, 144, "090dc8610c761fe255c9da58b2302f2bb76c83b6"),
        (.sha1, 1000, "4231a8a50a10fa9758db8ec71fdef855b751048a"),
        (.sha256, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, 128, "d2742f1f4ac6bb7ca2b239ee18402ba8b3f9f8e652d2a72973c2b9ba11c08cf6"),
        (.sha256, 144, "01a4b7965629e3a2ec0a5abb04e129c54b384c6388666e5c0608a45579a59e18"),
        (.sha256, 1000, "1e9bc38cbf860b9ec31918b065f9b52476c549a782e0e7990bed8ce3868d2371"),
        (
            .sha384, 0,
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"
        ),
        (
            .sha384, 128,
            "e8480e9c4dd90f88104a79cbaccec48edbd798a142b4f241d726dc252f1502350e824c7d18dadd59d7d716919fb8f9bf"
        ),
        (
            .sha384, 144,
            "17a20898fa184eb63bad206fdd011522874665b52158d0d2218a54c9331faea9368ebde8019f24d2e84efc14c125caaa"
        ),
        (
            .sha384, 1000,
            "94c38db521ca733b8904c2d14b6e82d33dcfcc26e1318c579dbee1fc2f472019034e792263b9d46e90e700de2f6e7e91"
        ),
        (
            .sha512, 0,
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        ),
        (
            .sha512, 128,
            "99b16f17aa0b969a5b8f08f367719d516e330ccd2660b6f0688ec031dbc783de50a1cd185a2568dba75070a2403d17d4741d163578515dfd2ff756ddfe4d47b1"
        ),
        (
            .sha512, 144,
            "520322796d948a947ad0f4f597817bc7f3615ff7348b3e2f18a8d7c8ea039c752f80c59311f12e65dc3e85f9fffa43a77b54be153d61cc89c822f5a18a1e16f1"
        ),
        (
            .sha512, 1000,
            "00e36fccf193e59697a92b5ab24666ce6326d7fa16bf10832d0991ddc591112e9dfa6a636950ed9c4d67344a760654c2ff7785e1d60094d651038735b5dccabd"
        ),
        (.sha3With224, 0, "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"),
        (.sha3With224, 128, "62abbb70fd8ef74c4b94e1e4b8798f0af75edc1908c541f5c09cabec"),
        (.sha3With224, 144, "9f86e9419fb4b658c051ca35aaa2dca71c64797be6af09cbb466ae5d"),
        (.sha3With224, 1000, "56812d3d31242051de174106777f4108c791ab801f1569f73d57fa0b"),
        (.sha3With256, 0, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        (.sha3With256, 128, "fcb6ea7388b68266e5df9f9beaf980fca55fdc6393f4d97ce1bcb2096eb4a975"),
        (.sha3With256, 144, "461199c2ec9cbef1469a587fb4c05c1fb9d4b5bbac259817e0c87331bda30c5a"),
        (.sha3With256, 1000, "bd8b4d76041e0135e53fab1aaf425c7b1c129d8878ffb64cc31230ccafd7dc7c"),
        (
            .sha3With384, 0,
            "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004"
        ),
        (
            .sha3With384, 128,
            "50cd60bf83e7440e396fab0904ba49754267d15bf00e5afdc71336b6c9402336be0b15a272119703cbb7ab3da5406001"
        ),
        (
            .sha3With384, 144,
            "82268278d6a922fa5bae5ca2097c33d41a0beb87c396880c9633695e56bbafc23b47be66263a39bedfc1fbf23dc15fcf"
        ),
        (
            .sha3With384, 1000,
            "01269eed23d8f1c00d333933989211974c16fed038dfde30f8514168ae13e8409f565dbe4d81399b6ed23db9762f7989"
        ),
        (
            .sha3With512, 0,
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26"
        ),
        (
            .sha3With512, 128,
            "469992409e1433702f7787fc5bf787db2e3db04af63f06c6c34b647adc4deb92dc96cb5e5a50d97a05b685f76fb0ff4c057fe07ed8542d38a988a922fe600ade"
        ),
        (
            .sha3With512, 144,
            "c6b8908e7b60f09ed38ffaf0ff9d6f3edd53ce3140076fc947bd3962c79c64d845d80b48f63b076dd7f4f0c360eb952dc940c99ed09a6fbdeabb51035b18e41d"
        ),
        (
            .sha3With512, 1000,
            "3d71681b54b99f11ddeb233b0a41b65896f7b30dda9e83d52864a4e818a09408e2f306028abe973298f96ee081a06e5ac8156cd7b856f0eb28270e1ca37bd0c6"
        ),
        (
            .blake2b, 0,
            "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"
        ),
        (
            .blake2b, 128,
            "2d9e329f42afa3601d646692b81c13e87fcaff5bf15972e9813d7373cb6d181f9599f4d513d4af4fd6ebd37497aceb29aba5ee23ed764d8510b552bd088814fb"
        ),
        (
            .blake2b, 144,
            "92a4832973210e528402dfb936c0a2a11a7fb88c47a5ec247ae8db0ac78e0933f50011ceb91d7d2806b585113b314e2794fe26e03d95870912a96c8602ff24b8"
        ),
        (
            .blake2b, 1000,
            "4bdd2c9cf31d797a81d245c989ffb7515143ca345c66f73087dd5c58bf642bf083ba16894eab79e3b08d5126404d833e7510271b50be36a7b7cbbb46f5c89fac"
        ),
        (.blake2s, 0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"),
        (.blake2s, 128, "83470c75afa23d90cd7659906e4b47daa278131fbb225241dd37a40fd5355ac7"),
        (.blake2s, 144, "a67c784ceaecda2a4e27d5308af570d6bfa54a3019622e71e4faf124bcf46b67"),
        (.blake2s, 1000, "02a016193469710efadf8fb005ca19b509331cb847df5598cc0794bded669681"),
    ]

    @Test(arguments: HashTests.known)
    func `A hash function gives what Python's gives`(algorithm: HashAlgorithm, length: Int, digits: String) throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
        for piece in [1, 31, 1000] {
            var hash = algorithm.start()
            for start in stride(from: 0, to: length, by: piece) {
                bytes[start..<min(start + piece, length)].withUnsafeBytes { hash.update($0) }
            }
            #expect(Hexadecimal.string(hash.finish()) == digits)
        }
    }

    @Test func `A checksum may be of the beginning of a file`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("file")
            try Scratch.write("abcdef", path)
            let value = try #require(
                Checksum.Value(parsing: "md5:900150983cd24fb0d6963f7d28e17f72", first: ByteCount(3)))
            let content = try await Content.read(path, values: [value])
            #expect(content.found == [value.digits])
            #expect(content.size == 6)
            try content.check([value], of: "it")
        }
    }

    @Test func `A file that is shorter than its checksum's part is refused`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("file")
            try Scratch.write("ab", path)
            let value = try #require(
                Checksum.Value(parsing: "md5:900150983cd24fb0d6963f7d28e17f72", first: ByteCount(3)))
            let content = try await Content.read(path, values: [value])
            let error = #expect(throws: FactoryError.self) { try content.check([value], of: "it") }
            #expect(error?.message == "it has only 2 bytes, fewer than its checksum is of")
        }
    }

    @Test(
        arguments: [
            ("sha3-256", HashAlgorithm.sha3With256), ("SHA3_512", .sha3With512), ("SHA-256", .sha256),
            ("sha512", .sha512), ("BLAKE2b", .blake2b), ("crc32", nil),
        ])
    func `A hash function has several spellings`(name: String, algorithm: HashAlgorithm?) {
        #expect(HashAlgorithm(named: name) == algorithm)
    }

    @Test(arguments: ["sha256:12", "md5:900150983cd24fb0d6963f7d28e17f7g", "crc32:12345678", "", "sha1:"])
    func `What is no checksum is refused`(text: String) {
        #expect(Checksum.Value(parsing: text) == nil)
    }
}
