import SystemPackage
import Testing

@testable import DiskFormats

@Suite struct QCOW2WriterTests {
    private static let qemu = "/usr/bin/qemu-img"
    private let mebi: Int64 = 1 << 20

    /// Writes the file `disk` as the file `name`, and has QEMU check it and compare it with the disk; the digest is compared
    /// with what is there.
    private func write(_ writer: QCOW2Writer, _ name: String, in folder: ScratchFolder) throws {
        try folder.open("disk") { disk in
            let digest = try folder.file(name) { try writer.write(disk, to: $0) }
            #expect(try digest == SparseDigest.sha256(of: folder.path.appending(name)))
        }
        try Program.run(Self.qemu, ["check", "-q", "-f", "qcow2", folder.string(name)])
        try Program.run(
            Self.qemu, ["compare", "-q", "-f", "raw", "-F", "qcow2", folder.string("disk"), folder.string(name)])
    }

    private func content(_ name: String, in folder: ScratchFolder) throws -> [UInt8] {
        try folder.open(name) { try $0.content() }
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: 0..<16, ClusterCompression.allCases)
    func `QEMU finds any disk in its file, and the bytes are the same with any number of threads`(
        seed: Int, compression: ClusterCompression
    ) throws {
        let disk = RandomDisk(seed: UInt64(seed))
        try ScratchFolder.with { folder in
            try folder.file("disk", size: disk.size, disk.pieces) { _ in }
            let bits = [17, 16, 17, 12, 17, 9, 17, 21][seed % 8]
            var writer = QCOW2Writer(compression: compression, clusterBits: bits, threads: 1)
            try write(writer, "one", in: folder)
            let expected = try content("one", in: folder)
            for threads in 2...4 {
                writer.threads = threads
                try write(writer, "more\(threads)", in: folder)
                #expect(try content("more\(threads)", in: folder) == expected, "\(threads) threads")
            }
        }
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: ClusterCompression.allCases)
    func `A disk of several L2 tables is found whole`(compression: ClusterCompression) throws {
        var numbers = RepeatableNumbers(state: 9)
        let gibi: Int64 = 1 << 30
        let pieces = [
            (at: 5 * mebi, bytes: numbers.noise(300_000)), (at: 2 * gibi - 100, bytes: numbers.text(200_000)),
            (at: 7 * gibi, bytes: numbers.text(5)), (at: 9 * gibi - 7, bytes: numbers.noise(7 + 3)),
        ]
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 9 * gibi + 3, pieces) { _ in }
            try write(QCOW2Writer(compression: compression), "qcow2", in: folder)
            let reader = try folder.open("qcow2") { try QCOW2Reader(ByteFields($0.content())) }
            #expect(reader.size == UInt64(9 * gibi + 512))
            for piece in pieces {
                #expect(try reader.bytes(at: UInt64(piece.at), count: piece.bytes.count).content == piece.bytes)
            }
        }
    }

    @Test(
        .enabled(if: Program.exists(qemu)), arguments: [0, 1, 511, 512, 131_072, 131_073, 1 << 40],
        [ClusterCompression.zstd, .none])
    func `A disk without data has a file without data`(size: Int64, compression: ClusterCompression) throws {
        try ScratchFolder.with { folder in
            try folder.file("disk", size: size) { _ in }
            try write(QCOW2Writer(compression: compression), "qcow2", in: folder)
            let file = try content("qcow2", in: folder)
            // Header, L1 table, refcount block and refcount table.
            #expect(file.count == 4 << 17)
            let header = try DiskImageHeader.inspect(ByteFields(file))
            #expect(header.virtualSize == UInt64(size + 511) / 512 * 512)
            #expect(header.hazards == [])
        }
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: [ClusterCompression.zstd, .none])
    func `Zeroes and holes give the same file`(compression: ClusterCompression) throws {
        try ScratchFolder.with { folder in
            let bytes = [UInt8](repeating: 0, count: 1 << 20)
            try folder.file("disk", size: 30 * mebi, [(mebi, [1]), (21 * mebi, [2])]) { _ in }
            try write(QCOW2Writer(compression: compression), "a", in: folder)
            try folder.open("disk") { disk in
                for at in [0, 2 * mebi, 22 * mebi] { try disk.writeAll(toAbsoluteOffset: at, bytes) }
            }
            try write(QCOW2Writer(compression: compression), "b", in: folder)
            #expect(try content("a", in: folder) == content("b", in: folder))
        }
    }

    @Test(.enabled(if: Program.exists(qemu)))
    func `An uncompressed file of more data than is in memory at once is found whole`() throws {
        var numbers = RepeatableNumbers(state: 11)
        try ScratchFolder.with { folder in
            let pieces = [
                (at: 130_000 as Int64, bytes: numbers.longNoise(mebibytes: 50)),
                (at: 90 * mebi, bytes: numbers.noise(300_000)),
            ]
            try folder.file("disk", size: 90 * mebi + 300_000, pieces) { _ in }
            try write(QCOW2Writer(compression: .none), "qcow2", in: folder)
        }
    }

    @Test(.enabled(if: Program.exists(qemu)), arguments: [ClusterCompression.zlib, .zstd])
    func `The file is not larger than the one of QEMU`(compression: ClusterCompression) throws {
        var numbers = RepeatableNumbers(state: 3)
        var pieces: [(at: Int64, bytes: [UInt8])] = []
        for at in stride(from: Int64(0), to: 30 * mebi, by: 524_288) {
            pieces.append((at, at % 3 == 0 ? numbers.noise(200_000) : numbers.text(260_000)))
        }
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 32 * mebi, pieces) { _ in }
            try write(QCOW2Writer(compression: compression), "own", in: folder)
            let options = "cluster_size=128k,compression_type=\(compression)"
            try Program.run(
                Self.qemu,
                [
                    "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, folder.string("disk"),
                    folder.string("theirs"),
                ])
            // Tables of ours begin at clusters' starts, the last of theirs may end before.
            #expect(try content("own", in: folder).count <= content("theirs", in: folder).count + 2 << 17)
        }
    }

    @Test func `Holes cost nothing`() throws {
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 1 << 42, [(1 << 41, [1])]) { disk in
                try folder.file("qcow2") { target in
                    let start = ContinuousClock.now
                    try QCOW2Writer(compression: .zstd).write(disk, to: target)
                    #expect(ContinuousClock.now - start < .seconds(5))
                    #expect(try SparseFile.allocatedSize(of: target) < 1 << 20)
                }
            }
        }
    }

    @Test func `Progress grows to the size, and what it throws ends the work without a qcow2 file`() throws {
        struct Stop: Error {}
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 20 * mebi, [(0, [1]), (mebi, [1]), (9 * mebi, [2])]) { disk in
                try folder.file("qcow2") { target in
                    var seen: [Int64] = []
                    try QCOW2Writer(compression: .zstd, threads: 3).write(disk, to: target) { done, total in
                        #expect(total == 20 * mebi)
                        seen.append(done)
                    }
                    #expect(seen == [131_072, mebi + 131_072, 9 * mebi + 131_072, 20 * mebi])
                    #expect(throws: Stop.self) {
                        try QCOW2Writer(compression: .zstd, threads: 3).write(disk, to: target) { _, _ in
                            throw Stop()
                        }
                    }
                    #expect(try DiskImageHeader.inspect(target).kind == .raw)
                }
            }
        }
    }

    @Test func `What the progress of an uncompressed file throws ends the work without a qcow2 file`() throws {
        struct Stop: Error {}
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 20 * mebi, [(0, [1]), (mebi, [1]), (9 * mebi, [2])]) { disk in
                try folder.file("qcow2") { target in
                    var seen: [Int64] = []
                    try QCOW2Writer(compression: .none).write(disk, to: target) { done, _ in seen.append(done) }
                    #expect(seen == [9 * mebi + 131_072, 20 * mebi])
                    #expect(throws: Stop.self) {
                        try QCOW2Writer(compression: .none).write(disk, to: target) { _, _ in throw Stop() }
                    }
                    #expect(try DiskImageHeader.inspect(target).kind == .raw)
                }
            }
        }
    }

    @Test(arguments: [ClusterCompression.zstd, .none])
    func `A disk that becomes shorter while it is read ends the work`(compression: ClusterCompression) throws {
        var numbers = RepeatableNumbers(state: 5)
        let bytes = numbers.longNoise(mebibytes: 60)
        try ScratchFolder.with { folder in
            try folder.file("disk", [(0, bytes)]) { disk in
                try folder.file("qcow2") { target in
                    #expect(throws: FileAccessError("read", "the file became shorter")) {
                        try QCOW2Writer(compression: compression, threads: 3).write(disk, to: target) { _, _ in
                            try disk.resize(to: 0)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [ClusterCompression.zstd, .none])
    func `A cancelled task stops the work`(compression: ClusterCompression) async throws {
        let work = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try ScratchFolder.with { folder in
                try folder.file("disk", size: 1 << 20, [(0, [1])]) { disk in
                    try folder.file("qcow2") { try QCOW2Writer(compression: compression).write(disk, to: $0) }
                }
            }
        }
        await #expect(throws: CancellationError.self) { try await work.value }
    }

    @Test func `A disk is not written onto itself, and too large a one is refused`() throws {
        try ScratchFolder.with { folder in
            try folder.file("disk", size: 1 << 40, [(0, [1])]) { disk in
                #expect(throws: FileAccessError.self) { try QCOW2Writer(compression: .zstd).write(disk, to: disk) }
                try folder.file("qcow2") { target in
                    #expect(
                        throws: FileAccessError(
                            "write a qcow2 file", "a disk of 1099511627776 bytes is too large for it")
                    ) {
                        try QCOW2Writer(compression: .zstd, clusterBits: 9).write(disk, to: target)
                    }
                }
            }
        }
    }

    @Test func `Compressed bytes are packed, and rests of clusters are used`() {
        var allocator = QCOW2Allocator(clusterSize: 1024)
        #expect(allocator.clusters(1) == 0)
        #expect(allocator.bytes(600) == 1024)
        #expect(allocator.bytes(600) == 1624)
        #expect(allocator.clusters(2) == 3072)
        #expect(allocator.bytes(1000) == 5120)
        #expect(allocator.clusters(1) == 6144)
        #expect(allocator.bytes(24) == 6120)
        #expect(allocator.bytes(1023) == 7168)
        #expect(allocator.bytes(2) == 8191)
        #expect(allocator.references == [1, 2, 1, 1, 1, 2, 1, 2, 1])
    }
}
