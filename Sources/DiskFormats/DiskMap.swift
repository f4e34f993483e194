/// What stands where on a disk: the parts of its partition table, its partitions, and the gaps between them.
package struct DiskMap {
    package enum Content: Hashable, Sendable {
        /// The first sector where there is a partition table.
        case bootRecord
        case header(isBackup: Bool)
        /// The entries of a GPT; each takes `size` bytes.
        case entries(isBackup: Bool, size: UInt64)
        case partition(Partition)
        case gap
        /// A disk without a partition table.
        case whole
    }

    package struct Place: Hashable, Sendable {
        /// In bytes of the disk.
        package var bytes: Range<UInt64>
        package var content: Content
    }

    /// In order and apart from each other; together they are the disk.
    package let places: [Place]
    package let table: PartitionTable?
    /// Why there is no table.
    package let problem: String?

    /// Throws only if the disk cannot be read.
    package init(_ disk: some ByteSource) throws {
        switch try Self.read(disk) {
        case .success(let table):
            (self.table, problem) = (table, nil)
            places = Self.filled(try Self.known(table, disk), size: disk.size)
        case .failure(let error):
            (table, problem) = (nil, error.description)
            places = [Place(bytes: 0..<disk.size, content: .whole)]
        }
    }

    private static func read(_ disk: some ByteSource) throws -> Result<PartitionTable, PartitionTableError> {
        do {
            return .success(try PartitionTable.read(disk))
        } catch let error as PartitionTableError {
            return .failure(error)
        }
    }

    /// The place that a byte of the disk is in.
    package func place(at offset: UInt64) -> Place? { places.first { $0.bytes.contains(offset) } }

    private static func known(_ table: PartitionTable, _ disk: some ByteSource) throws -> [Place] {
        var places = [Place(bytes: 0..<512, content: .bootRecord)]
        if case .gpt = table.scheme {
            let last = disk.size / table.sectorSize - 1
            for (lba, isBackup) in [(1, false), (last, true)] as [(UInt64, Bool)] {
                guard let header = product(lba, table.sectorSize),
                    let sector = try disk.whole(at: header, count: Int(table.sectorSize)), sector.has("EFI PART")
                else { continue }
                places.append(
                    Place(bytes: header..<header + table.sectorSize, content: .header(isBackup: isBackup)))
                if let entries = entries(sector, isBackup: isBackup, table) { places.append(entries) }
            }
        }
        for partition in table.partitions {
            guard let range = partition.byteRange(sectorSize: table.sectorSize) else { continue }
            let end = min(UInt64(range.upperBound), disk.size)
            guard UInt64(range.lowerBound) < end else { continue }
            places.append(Place(bytes: UInt64(range.lowerBound)..<end, content: .partition(partition)))
        }
        return places
    }

    private static func entries(_ header: ByteFields, isBackup: Bool, _ table: PartitionTable) -> Place? {
        guard let lba: UInt64 = header.little(72), let count: UInt32 = header.little(80),
            let size: UInt32 = header.little(84), size > 0, let start = product(lba, table.sectorSize),
            let end = product(UInt64(count), UInt64(size), plus: start), UInt64(count) * UInt64(size) <= 1 << 20
        else { return nil }
        return Place(bytes: start..<end, content: .entries(isBackup: isBackup, size: UInt64(size)))
    }

    /// Places that overlap others are cut; what is left between them are gaps.
    private static func filled(_ known: [Place], size: UInt64) -> [Place] {
        var places: [Place] = []
        var at: UInt64 = 0
        for place in known.sorted(by: { $0.bytes.lowerBound < $1.bytes.lowerBound }) {
            let (start, end) = (max(at, place.bytes.lowerBound), min(place.bytes.upperBound, size))
            guard start < end else { continue }
            if at < start { places.append(Place(bytes: at..<start, content: .gap)) }
            places.append(Place(bytes: start..<end, content: place.content))
            at = end
        }
        if at < size { places.append(Place(bytes: at..<size, content: .gap)) }
        return places
    }
}
