/// The numbers that all our qcow2 files of a disk have in common, and their header.
struct QCOW2Layout: Hashable, Sendable {
    /// What refers to a table or a cluster that nobody else uses.
    static let isOnlyUse: UInt64 = 1 << 63
    /// QEMU takes no larger L1 table: 32 MiB.
    private static let mostL1Entries: UInt64 = 4 << 20

    let virtualSize: UInt64
    let clusterBits: UInt64
    let compression: ClusterCompression
    let l1Entries: Int

    /// - Parameter size: of the disk, in bytes; rounded up to sectors of 512, of which QEMU wants a whole number.
    init(size: UInt64, clusterBits: Int, compression: ClusterCompression) throws {
        self.clusterBits = UInt64(clusterBits)
        self.compression = compression
        virtualSize = (size + 511) / 512 * 512
        let clusterSize: UInt64 = 1 << clusterBits
        let covered = clusterSize * (clusterSize / 8)
        let entries = max(1, (virtualSize + covered - 1) / covered)
        guard entries <= Self.mostL1Entries else {
            throw FileAccessError("write a qcow2 file", "a disk of \(size) bytes is too large for it")
        }
        l1Entries = Int(entries)
    }

    var clusterSize: UInt64 { 1 << clusterBits }

    var l2Entries: Int { Int(clusterSize / 8) }

    /// The clusters that so many bytes take.
    func clusters(for bytes: Int) -> Int { (bytes + Int(clusterSize) - 1) / Int(clusterSize) }

    /// The clusters of the refcount blocks and of their table, which count themselves and `used` others.
    func references(for used: Int) -> (blocks: Int, table: Int) {
        let entriesOfBlock = Int(clusterSize / 2)
        var blocks = 0
        var table = 0
        while blocks * entriesOfBlock < used + blocks + table || table < clusters(for: blocks * 8) {
            blocks = (used + blocks + table + entriesOfBlock - 1) / entriesOfBlock
            table = clusters(for: blocks * 8)
        }
        return (blocks, table)
    }

    /// The fields as `QCOW2Header` lists them, and the end of the header extensions, of which there are none.
    func header(l1 l1Place: UInt64, references: UInt64, clusters: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x51, 0x46, 0x49, 0xfb]
        func add(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
        add(3 as UInt32)
        add(0 as UInt64)  // The place and the length of the backing file's name.
        add(0 as UInt32)
        add(UInt32(clusterBits))
        add(virtualSize)
        add(0 as UInt32)  // Encryption.
        add(UInt32(l1Entries))
        add(l1Place)
        add(references)
        add(UInt32(clusters))
        add(0 as UInt32)  // Snapshots and their table.
        add(0 as UInt64)
        add(compression == .zstd ? 8 : 0 as UInt64)  // Incompatible features: bit 3 says that it is not zlib.
        add(0 as UInt64)
        add(0 as UInt64)
        add(4 as UInt32)  // Refcounts of 2^4 bits.
        add(112 as UInt32)
        add(compression == .zstd ? 1 : 0 as UInt8)
        return bytes + [UInt8](repeating: 0, count: 120 - bytes.count)
    }
}
