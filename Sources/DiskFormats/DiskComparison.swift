import Glibc

/// Finds where two disks differ, in one pass over what either has data for. A hole is the same as zeroes; the shorter disk
/// is taken as going on with zeroes.
package struct DiskComparison {
    /// A range of a disk in which sectors differ.
    package struct Region: Hashable, Sendable {
        /// From the first differing sector to the last, in bytes of the disk.
        package var bytes: Range<UInt64>
        /// The sectors in it that differ.
        package var sectors: UInt64
    }

    package static let sectorSize: UInt64 = 512
    /// Differing sectors with less than this between them are one region.
    private static let smallGap: UInt64 = 4096
    private static let chunkSize: UInt64 = 1 << 20

    private let first: GuestDisk
    private let second: GuestDisk
    private let borders: [UInt64]

    /// - Parameter borders: bytes of the disk at which a region ends though the next one begins there.
    package init(_ first: GuestDisk, _ second: GuestDisk, borders: [UInt64]) {
        self.first = first
        self.second = second
        self.borders = Set(borders).sorted()
    }

    /// Calls `body` for each region in order. `check` is called after each chunk; what it throws ends the work.
    package func forEachRegion(check: () throws -> Void = {}, _ body: (Region) throws -> Void) throws {
        var merger = RegionMerger(borders: borders, gap: Self.smallGap)
        let size = Int(Self.chunkSize)
        try withChunk(of: size) { one in
            try withChunk(of: size) { other in
                var parts = try UnionOfExtents(first.extents(), second.extents())
                while let part = try parts.next() {
                    var at = part.lowerBound
                    while at < part.upperBound {
                        let count = Int(min(Self.chunkSize, part.upperBound - at))
                        let left = UnsafeMutableRawBufferPointer(rebasing: one[..<count])
                        let right = UnsafeMutableRawBufferPointer(rebasing: other[..<count])
                        _ = try first.read(at: at, into: left)
                        _ = try second.read(at: at, into: right)
                        try Self.forEachRun(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right)) { run in
                            try merger.add(at + run.lowerBound..<at + run.upperBound, body)
                        }
                        at += UInt64(count)
                        try check()
                    }
                }
            }
        }
        try merger.finish(body)
    }

    /// The runs of sectors that differ in a range of both disks, in bytes of the disk; at most `limit` of them.
    package func runs(in range: Range<UInt64>, limit: Int) throws -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        try withChunk(of: Int(Self.chunkSize)) { one in
            try withChunk(of: Int(Self.chunkSize)) { other in
                var at = range.lowerBound
                while at < range.upperBound, found.count < limit {
                    let count = Int(min(Self.chunkSize, range.upperBound - at))
                    let left = UnsafeMutableRawBufferPointer(rebasing: one[..<count])
                    let right = UnsafeMutableRawBufferPointer(rebasing: other[..<count])
                    _ = try first.read(at: at, into: left)
                    _ = try second.read(at: at, into: right)
                    Self.forEachRun(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right)) { run in
                        let here = at + run.lowerBound..<at + run.upperBound
                        if let last = found.last, last.upperBound == here.lowerBound {
                            found[found.count - 1] = last.lowerBound..<here.upperBound
                        } else {
                            found.append(here)
                        }
                    }
                    at += UInt64(count)
                }
            }
        }
        return Array(found.prefix(limit))
    }

    /// Calls `body` for the sectors that differ, neighbours of one block together.
    private static func forEachRun(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ body: (Range<UInt64>) throws -> Void
    ) rethrows {
        guard !equal(one, other, 0, one.count) else { return }
        for block in stride(from: 0, to: one.count, by: 65536) {
            let blockEnd = min(block + 65536, one.count)
            guard !equal(one, other, block, blockEnd) else { continue }
            for sector in stride(from: block, to: blockEnd, by: Int(sectorSize)) {
                let end = min(sector + Int(sectorSize), blockEnd)
                if !equal(one, other, sector, end) { try body(UInt64(sector)..<UInt64(end)) }
            }
        }
    }

    private static func equal(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ start: Int, _ end: Int
    ) -> Bool {
        guard let left = one.baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left + start, right + start, end - start) == 0
    }
}

/// The parts that one of two disks has data for, in order and apart from each other.
private struct UnionOfExtents {
    private let nextOfFirst: () throws -> Range<UInt64>?
    private let nextOfSecond: () throws -> Range<UInt64>?
    private var first: Range<UInt64>?
    private var second: Range<UInt64>?
    private var position: UInt64 = 0

    init(_ first: @escaping () throws -> Range<UInt64>?, _ second: @escaping () throws -> Range<UInt64>?) throws {
        (nextOfFirst, nextOfSecond) = (first, second)
        self.first = try first()
        self.second = try second()
    }

    mutating func next() throws -> Range<UInt64>? {
        while let extent = first, extent.upperBound <= position { first = try nextOfFirst() }
        while let extent = second, extent.upperBound <= position { second = try nextOfSecond() }
        guard let next = [first, second].compactMap({ $0 }).min(by: { $0.lowerBound < $1.lowerBound }) else {
            return nil
        }
        // Sectors are compared from a sector's start on: extents of files may begin anywhere.
        let start = max(position, next.lowerBound / DiskComparison.sectorSize * DiskComparison.sectorSize)
        position = next.upperBound
        return start..<next.upperBound
    }
}

/// Makes regions of runs of sectors.
private struct RegionMerger {
    private let borders: [UInt64]
    private let gap: UInt64
    private var border = 0
    private var open: DiskComparison.Region?

    init(borders: [UInt64], gap: UInt64) {
        self.borders = borders
        self.gap = gap
    }

    mutating func add(_ run: Range<UInt64>, _ body: (DiskComparison.Region) throws -> Void) throws {
        var rest = run
        while border < borders.count, borders[border] <= rest.lowerBound {
            try finish(body)
            border += 1
        }
        while border < borders.count, borders[border] < rest.upperBound {
            try extend(rest.lowerBound..<borders[border], body)
            try finish(body)
            rest = borders[border]..<rest.upperBound
            border += 1
        }
        try extend(rest, body)
    }

    mutating func finish(_ body: (DiskComparison.Region) throws -> Void) throws {
        if let region = open { try body(region) }
        open = nil
    }

    private mutating func extend(_ run: Range<UInt64>, _ body: (DiskComparison.Region) throws -> Void) throws {
        guard !run.isEmpty else { return }
        let sectors = (UInt64(run.count) + DiskComparison.sectorSize - 1) / DiskComparison.sectorSize
        if let region = open, run.lowerBound - region.bytes.upperBound < gap {
            open = .init(bytes: region.bytes.lowerBound..<run.upperBound, sectors: region.sectors + sectors)
        } else {
            try finish(body)
            open = .init(bytes: run, sectors: sectors)
        }
    }
}
