/// A qcow2 file cannot be read: it is damaged, or what it is not meant for.
package struct QCOW2Error: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the file, to be read after its name: "it has a backing file: 'base'".
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    package var description: String { "the qcow2 file cannot be read: \(reason)" }
}

/// The disk in a qcow2 file of version 2 or 3, read at any place.
///
/// Nothing in the file is trusted: each table and cluster is looked for inside of the file, and no number in it makes
/// this ask for more memory than three clusters and a window of 8 MiB. Files with a backing file, a data file,
/// encryption, snapshots, extended L2 entries or signs of damage are refused.
///
/// A class, because it keeps the last tables and the last decompressed cluster for the next read; one thread at a time
/// may use it. The layout is that of `QCOW2File`; source: QEMU, docs/interop/qcow2.txt.
package final class QCOW2Reader<File: ByteSource>: ByteSource {
    /// Where the bytes of a cluster of the disk are.
    enum Mapping: Hashable {
        /// Nowhere: they are zero.
        case hole
        /// At this place of the file; what is behind its end is zero.
        case plain(UInt64)
        case compressed(at: UInt64, count: Int)
    }

    private let file: File
    private let clusterBits: UInt64
    private let version: UInt32
    private let compression: ClusterCompression
    private let l1Entries: UInt64
    private let l1Table: UInt64
    /// The size of the disk in bytes.
    package let size: UInt64

    private var l1Part: (first: UInt64, fields: ByteFields)?
    private var l2: (place: UInt64, fields: ByteFields)?
    private var decompressed: (cluster: UInt64, bytes: [UInt8])?

    /// Throws `QCOW2Error` if the file is not one that this reads, or what `file` throws.
    package init(_ file: File) throws {
        let inspected = try DiskImageHeader.inspect(file)
        guard case .qcow2(let header) = inspected.kind else { throw QCOW2Error("it is no qcow2 file") }
        if let hazard = inspected.hazards.first { throw QCOW2Error(hazard) }
        if header.incompatibleFeatures & 16 != 0 { throw QCOW2Error("it has extended L2 entries") }
        self.file = file
        clusterBits = UInt64(header.clusterBits)
        version = header.version
        compression = header.compression == .zstd ? .zstd : .zlib
        l1Entries = UInt64(header.l1Entries)
        l1Table = header.l1Table
        size = header.virtualSize
        let covered: UInt64 = 1 << (2 * clusterBits - 3)
        guard size.dividedRoundingUp(by: covered) <= l1Entries else {
            throw QCOW2Error("its L1 table is too short for a disk of \(size) bytes")
        }
    }

    package var clusterSize: Int { 1 << Int(clusterBits) }

    /// Entries of an L2 table.
    var entriesOfTable: UInt64 { 1 << (clusterBits - 3) }

    package func bytes(at offset: UInt64, count: Int) throws -> ByteFields {
        guard offset < size, count > 0 else { return ByteFields([]) }
        var content = [UInt8](repeating: 0, count: Int(min(UInt64(count), size - offset)))
        _ = try content.withUnsafeMutableBytes { try read(at: offset, into: $0) }
        return ByteFields(content)
    }

    /// Fills the buffer with the bytes from `offset` on; returns how many, fewer than it holds at the disk's end.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard offset < size else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), size - offset))
        var done = 0
        while done < wanted {
            let (cluster, inside) = (offset + UInt64(done)).quotientAndRemainder(dividingBy: 1 << clusterBits)
            let count = min(wanted - done, clusterSize - Int(inside))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            try read(cluster, from: Int(inside), into: part)
            done += count
        }
        return done
    }

    private func read(_ cluster: UInt64, from inside: Int, into part: UnsafeMutableRawBufferPointer) throws {
        switch try mapping(of: cluster) {
        case .hole:
            part.initializeMemory(as: UInt8.self, repeating: 0)
        case .plain(let place):
            let found = try file.bytes(at: place + UInt64(inside), count: part.count).content
            part.copyBytes(from: found)
            UnsafeMutableRawBufferPointer(rebasing: part[found.count...]).initializeMemory(
                as: UInt8.self, repeating: 0)
        case .compressed(let place, let count):
            let bytes = try decompress(cluster, at: place, count: count)
            bytes.withUnsafeBytes {
                part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[inside..<inside + part.count]))
            }
        }
    }

    private func decompress(_ cluster: UInt64, at place: UInt64, count: Int) throws -> [UInt8] {
        if let decompressed, decompressed.cluster == cluster { return decompressed.bytes }
        let source = try file.bytes(at: place, count: count).content
        var bytes = decompressed?.bytes ?? [UInt8](repeating: 0, count: clusterSize)
        decompressed = nil
        let isSound = source.withUnsafeBytes { source in
            bytes.withUnsafeMutableBytes { compression.decompress(source, into: $0) }
        }
        guard isSound else { throw QCOW2Error("the compressed cluster \(cluster) is damaged") }
        decompressed = (cluster, bytes)
        return bytes
    }

    /// Where a cluster of the disk is; it must lie within its size.
    func mapping(of cluster: UInt64) throws -> Mapping {
        let (table, entry) = cluster.quotientAndRemainder(dividingBy: entriesOfTable)
        guard let place = try placeOfTable(table) else { return .hole }
        guard let value: UInt64 = try self.table(at: place).big(Int(entry) * 8) else { return .hole }
        if value & 1 << 62 != 0 { return try compressed(value, cluster) }
        if value & 1 != 0, version > 2 { return .hole }
        let data = value & 0x00ff_ffff_ffff_fe00
        if data == 0 { return .hole }
        guard data % (1 << clusterBits) == 0, data < file.size else {
            throw QCOW2Error("the cluster \(cluster) lies outside of the file")
        }
        return .plain(data)
    }

    private func compressed(_ value: UInt64, _ cluster: UInt64) throws -> Mapping {
        let bits = 70 - clusterBits
        let place = value & (1 << bits - 1)
        let sectors = value >> bits & (1 << (clusterBits - 8) - 1) + 1
        guard place < file.size else {
            throw QCOW2Error("the compressed cluster \(cluster) lies outside of the file")
        }
        return .compressed(at: place, count: Int(sectors * 512 - place % 512))
    }

    /// The place of an L2 table; nil if all of its clusters are holes.
    func placeOfTable(_ index: UInt64) throws -> UInt64? {
        let entriesOfPart: UInt64 = 512
        let first = index / entriesOfPart * entriesOfPart
        if l1Part?.first != first {
            let count = min(entriesOfPart, l1Entries - min(first, l1Entries))
            l1Part = (first, try file.bytes(at: l1Table + first * 8, count: Int(count) * 8))
        }
        guard let value: UInt64 = l1Part?.fields.big(Int(index - first) * 8) else {
            throw QCOW2Error("its L1 table lies outside of the file")
        }
        let place = value & 0x00ff_ffff_ffff_fe00
        return place == 0 ? nil : place
    }

    private func table(at place: UInt64) throws -> ByteFields {
        if let l2, l2.place == place { return l2.fields }
        guard place % (1 << clusterBits) == 0, let fields = try file.whole(at: place, count: clusterSize) else {
            throw QCOW2Error("an L2 table lies outside of the file")
        }
        l2 = (place, fields)
        return fields
    }
}

extension QCOW2Reader {
    /// The parts of the disk that the file has bytes for, found one by one. All else is zero.
    package struct AllocatedExtents {
        private let reader: QCOW2Reader
        private let clusters: UInt64
        private var cluster: UInt64 = 0
        /// The last part of the disk with a table of its own.
        private var table: UInt64?
        /// The places of tables: one that is used again and again would make a small file of very many extents.
        private var seen: Set<UInt64> = []

        fileprivate init(_ reader: QCOW2Reader) {
            self.reader = reader
            clusters = reader.size.dividedRoundingUp(by: 1 << reader.clusterBits)
        }

        /// The next extent in bytes of the disk, or nil after the last one. For all of them together the file's tables
        /// are read once.
        package mutating func next() throws -> Range<UInt64>? {
            var extent: Range<UInt64>?
            while cluster < clusters {
                if try isBehindHole() {
                    if extent != nil { break }
                    continue
                }
                if try reader.mapping(of: cluster) != .hole {
                    extent = (extent?.lowerBound ?? cluster)..<cluster + 1
                } else if extent != nil {
                    break
                }
                cluster += 1
            }
            return extent.map { extent in
                let end = min(extent.upperBound << reader.clusterBits, reader.size)
                return extent.lowerBound << reader.clusterBits..<end
            }
        }

        /// Whether it went on behind the clusters of a table that is not there.
        private mutating func isBehindHole() throws -> Bool {
            let index = cluster / reader.entriesOfTable
            guard index != table else { return false }
            guard let place = try reader.placeOfTable(index) else {
                cluster = (index + 1) * reader.entriesOfTable
                return true
            }
            guard seen.insert(place).inserted else { throw QCOW2Error("two parts of the disk have the same L2 table") }
            table = index
            return false
        }
    }

    package func allocatedExtents() -> AllocatedExtents { AllocatedExtents(self) }
}

extension UInt64 {
    fileprivate func dividedRoundingUp(by divisor: UInt64) -> UInt64 { self / divisor + (self % divisor == 0 ? 0 : 1) }
}
