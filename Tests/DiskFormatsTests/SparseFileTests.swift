import DiskFormats
import SystemPackage
import Testing

@Suite struct SparseFileTests {
    private let mebi: Int64 = 1 << 20

    private func pieces() -> [(at: Int64, bytes: [UInt8])] {
        var numbers = RepeatableNumbers(state: 1)
        return [(8192, numbers.bytes(5000)), (4 * mebi, numbers.bytes(70_000)), (9 * mebi + 777, numbers.bytes(1))]
    }

    @Test func `The extents of a sparse file are where its data is`() throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: 10 * mebi, [(4096, [1]), (4 * mebi, [2])]) { file in
                let extents = try DataExtents.all(of: file)
                #expect(extents == [4096..<8192, 4 * mebi..<4 * mebi + 4096])
            }
        }
    }

    @Test func `A file that is one hole has no extents, an empty one neither`() throws {
        try ScratchFolder.with { folder in
            let hole = try folder.file("hole", size: mebi) { try DataExtents.all(of: $0) }
            let empty = try folder.file("empty") { try DataExtents.all(of: $0) }
            #expect(hole == [] && empty == [])
        }
    }

    @Test func `A copy has the same content and the same holes`() throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: 20 * mebi + 5, pieces()) { source in
                try folder.file("b", size: 3, [(0, [9, 9, 9])]) { target in
                    try SparseFile.copy(from: source, to: target)
                    #expect(try target.content() == source.content())
                    #expect(try DataExtents.all(of: target) == DataExtents.all(of: source))
                    #expect(try SparseFile.allocatedSize(of: target) == SparseFile.allocatedSize(of: source))
                }
            }
        }
    }

    @Test(.enabled(if: Program.exists("/dev/shm")))
    func `A copy onto another filesystem has the same content and holes too`() throws {
        try ScratchFolder.with { folder in
            try ScratchFolder.with(in: "/dev/shm") { other in
                try folder.file("a", size: 20 * mebi + 5, pieces()) { source in
                    try other.file("b") { target in
                        let method = try SparseFile.copy(from: source, to: target)
                        #expect(method == .copied)
                        #expect(try target.content() == source.content())
                        #expect(try DataExtents.all(of: target) == DataExtents.all(of: source))
                    }
                }
            }
        }
    }

    @Test func `A copy that makes holes drops zero blocks only`() throws {
        try ScratchFolder.with { folder in
            var bytes = [UInt8](repeating: 0, count: 3 << 20)
            bytes[5000] = 1
            bytes[2 << 20] = 1
            try folder.file("a", size: 3 * mebi + 100, [(0, bytes)]) { source in
                try folder.file("b") { target in
                    try SparseFile.copy(from: source, to: target, zeroes: .makeHoles)
                    #expect(try target.content() == source.content())
                    #expect(try DataExtents.all(of: target) == [4096..<8192, 2 * mebi..<2 * mebi + 4096])
                }
            }
        }
    }

    @Test(arguments: [0, 512, 130_000] as [Int64])
    func `A copy of more data than is in memory at once is the same, wherever its data begins`(start: Int64) throws {
        var numbers = RepeatableNumbers(state: 3)
        let bytes = numbers.longNoise(mebibytes: 41)
        try ScratchFolder.with { folder in
            try folder.file("a", size: 60 * mebi + 1, [(start, bytes), (59 * mebi, [1])]) { source in
                try folder.file("b") { target in
                    try SparseFile.copy(from: source, to: target)
                    #expect(try target.content() == source.content())
                    #expect(try DataExtents.all(of: target) == DataExtents.all(of: source))
                    // The file is left as one that takes any write.
                    try target.writeAll(toAbsoluteOffset: 5, [7])
                }
            }
        }
    }

    @Test func `A copy that leaves ranges out makes whole clusters of zeroes holes, too`() throws {
        var numbers = RepeatableNumbers(state: 4)
        let cluster: Int64 = 128 << 10
        var bytes = numbers.noise(8 << 17)
        for at in 1 << 17..<3 << 17 { bytes[at] = 0 }
        try ScratchFolder.with { folder in
            try folder.file("a", size: 20 * cluster, [(4096, bytes)]) { source in
                try folder.file("b") { target in
                    let unused = ByteRanges([5 * cluster..<6 * cluster + 4096])
                    try SparseFile.copy(from: source, to: target, leavingOut: unused)
                    var expected = try source.content()
                    for at in 5 * cluster..<6 * cluster + 4096 { expected[Int(at)] = 0 }
                    #expect(try target.content() == expected)
                    #expect(
                        try DataExtents.all(of: target) == [
                            4096..<2 * cluster, 3 * cluster..<5 * cluster, 6 * cluster + 4096..<8 * cluster + 4096,
                        ])
                }
            }
        }
    }

    @Test func `Progress grows to the size of the file`() throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: 20 * mebi, pieces()) { source in
                try folder.file("b") { target in
                    var seen: [Int64] = []
                    try SparseFile.copy(from: source, to: target) { done, total in
                        #expect(total == 20 * mebi)
                        seen.append(done)
                    }
                    #expect(seen == seen.sorted())
                    #expect(seen.last == 20 * mebi)
                }
            }
        }
    }

    @Test func `A copy onto itself is refused and loses nothing`() throws {
        try ScratchFolder.with { folder in
            try folder.file("a", size: 4, [(0, [1, 2, 3, 4])]) { source in
                try folder.open("a") { same in
                    #expect(throws: FileAccessError.self) { try SparseFile.copy(from: source, to: same) }
                }
                #expect(try source.content() == [1, 2, 3, 4])
            }
        }
    }

    @Test func `A copy by name is removed when it fails, and replaces nothing`() throws {
        struct Stop: Error {}
        try ScratchFolder.with { folder in
            try folder.file("a", size: mebi, [(0, [1])]) { _ in }
            let (source, target) = (folder.path.appending("a"), folder.path.appending("b"))
            #expect(throws: Stop.self) { try SparseFile.copy(from: source, to: target) { _, _ in throw Stop() } }
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try FileDescriptor.open(target, .readOnly) }
            try SparseFile.copy(from: source, to: target)
            #expect(throws: Errno.fileExists) { try SparseFile.copy(from: source, to: target) }
        }
    }

    @Test func `Punching frees zero blocks, also the last short one, and keeps the content`() throws {
        try ScratchFolder.with { folder in
            var bytes = [UInt8](repeating: 0, count: (2 << 20) + 100)
            bytes[4096] = 1
            try folder.file("a", size: 0, [(0, bytes)]) { file in
                let found = try SparseFile.punchZeroes(in: file)
                #expect(found == Int64(bytes.count) - 4096)
                #expect(try DataExtents.all(of: file) == [4096..<8192])
                #expect(try SparseFile.allocatedSize(of: file) == 4096)
                #expect(try file.content() == bytes)
            }
        }
    }

    @Test(arguments: [0, 4096, 1000] as [Int64])
    func `A file placed into a disk replaces what was there and nothing else`(offset: Int64) throws {
        var numbers = RepeatableNumbers(state: 7)
        let (old, part) = (numbers.bytes(3 << 20), numbers.bytes(5000))
        try ScratchFolder.with { folder in
            try folder.file("part", size: mebi, [(300_000, part)]) { source in
                try folder.file("disk", size: 0, [(0, old)]) { disk in
                    try SparseFile.place(source, into: disk, at: offset)
                    var expected = old
                    expected.replaceSubrange(Int(offset)..<Int(offset + mebi), with: try source.content())
                    #expect(try disk.content() == expected)
                    #expect(try SparseFile.allocatedSize(of: disk) < 3 * mebi - 900_000)
                }
            }
        }
    }

    @Test func `A placed file makes a short disk longer`() throws {
        try ScratchFolder.with { folder in
            try folder.file("part", size: mebi) { source in
                try folder.file("disk", size: 10) { disk in
                    try SparseFile.place(source, into: disk, at: 2 * mebi)
                    #expect(try disk.seek(offset: 0, from: .end) == 3 * mebi)
                }
            }
        }
    }

    @Test(arguments: [-1, Int64.max]) func `A place that is no offset is refused`(offset: Int64) throws {
        try ScratchFolder.with { folder in
            try folder.file("part", size: 10) { source in
                try folder.file("disk", size: 10) { disk in
                    #expect(throws: FileAccessError.self) { try SparseFile.place(source, into: disk, at: offset) }
                }
            }
        }
    }

    @Test func `A cancelled task stops a copy`() async throws {
        let copying = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try ScratchFolder.with { folder in
                try folder.file("a", size: 10, [(0, [1])]) { source in
                    try folder.file("b") { _ = try SparseFile.copy(from: source, to: $0, zeroes: .makeHoles) }
                }
            }
        }
        await #expect(throws: CancellationError.self) { try await copying.value }
    }
}
