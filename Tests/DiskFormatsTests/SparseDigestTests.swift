import Crypto
import DiskFormats
import SystemPackage
import Testing

@Suite struct SparseDigestTests {
    private static let mebi: Int64 = 1 << 20

    private func reference(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).description.replacing("SHA256 digest: ", with: "")
    }

    @Test(arguments: [0, 1, 4095, 65536, 65537, mebi, 33 * mebi + 5])
    func `A hole has the digest of as many zeroes`(size: Int64) throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: size) { file in
                let digest = try SparseDigest.sha256(of: file)
                #expect(digest == reference([UInt8](repeating: 0, count: Int(size))))
            }
        }
    }

    @Test func `The digest is that of the whole content, with data first, last and between`() throws {
        var numbers = RepeatableNumbers(state: 3)
        let pieces = [(at: Int64(0), bytes: numbers.bytes(10)), (at: 3 << 20, bytes: numbers.bytes(2_500_000))]
        try ScratchFolder.with { folder in
            try folder.file("a", size: 9 * Self.mebi, pieces + [(at: 9 * Self.mebi - 3, bytes: [1, 2, 3])]) { file in
                let digest = try SparseDigest.sha256(of: file)
                #expect(try digest == reference(file.content()))
            }
        }
    }

    @Test(.enabled(if: Program.exists("/usr/bin/sha256sum")))
    func `The digest is the one that sha256sum prints`() throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: 5 * Self.mebi + 1, [(Self.mebi, [1, 2, 3])]) { _ in }
            let printed = try Program.run("/usr/bin/sha256sum", [folder.string("a")])
            #expect(try SparseDigest.sha256(of: folder.path.appending("a")) == String(printed.prefix(64)))
        }
    }

    @Test func `Progress grows to the size, and what it throws ends the work`() throws {
        struct Stop: Error {}
        try ScratchFolder.with { folder in
            try folder.file("a", size: 100 * Self.mebi, [(50 * Self.mebi, [1])]) { file in
                var seen: [Int64] = []
                _ = try SparseDigest.sha256(of: file) { done, total in
                    #expect(total == 100 * Self.mebi)
                    seen.append(done)
                }
                #expect(seen == seen.sorted() && seen.count > 5)
                #expect(seen.last == 100 * Self.mebi)
                #expect(throws: Stop.self) { try SparseDigest.sha256(of: file) { _, _ in throw Stop() } }
            }
        }
    }

    @Test func `A cancelled task stops a digest`() async throws {
        let work = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try ScratchFolder.with { try $0.file("a", size: 1 << 40) { _ = try SparseDigest.sha256(of: $0) } }
        }
        await #expect(throws: CancellationError.self) { try await work.value }
    }
}
