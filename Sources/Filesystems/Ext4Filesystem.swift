import CExt2
package import DiskFormats
package import SystemPackage

/// A filesystem of the ext family inside a disk file, open for reading. Nothing in it is trusted: what is damaged
/// throws `Ext4.Failure`.
package final class Ext4Filesystem {
    package static let rootInode: UInt32 = 2

    let handle: OpaquePointer
    package let facts: Superblock
    /// What the library reads from, where that is no file.
    private let source: Ext4Source?

    /// What the superblock says of the filesystem and its last use.
    package struct Superblock: Hashable, Sendable {
        package var blocks: UInt64
        package var blockSize: UInt64
        /// Whether it was unmounted, and no errors were found since.
        package var isClean: Bool
        /// How often it was mounted since the last check.
        package var mounts: Int
        /// Whether its journal has to be replayed.
        package var needsRecovery: Bool
        /// In the text form: 8-4-4-4-12 digits in lower case.
        package var uuid: String
        package var label: [UInt8]
        /// Where it was mounted last.
        package var lastMounted: [UInt8]
    }

    /// Opens the filesystem that begins `offset` bytes into the file.
    package init(_ disk: FilePath, offset: UInt64) throws(Ext4.Failure) {
        var opened: OpaquePointer?
        try Self.check(cext2_open(disk.string, offset, &opened))
        guard let opened else { throw Ext4.Failure(reason: "it could not be opened") }
        handle = opened
        source = nil
        facts = Superblock(of: opened)
    }

    /// Opens the filesystem that begins `offset` bytes into a disk of any kind. Damaged checksums are no error here.
    package init(in disk: some ByteSource, offset: UInt64) throws(Ext4.Failure) {
        let source = Ext4Source(disk, offset: offset)
        var opened: OpaquePointer?
        try Self.check(cext2_open_source(Ext4Source.read, Unmanaged.passUnretained(source).toOpaque(), &opened))
        guard let opened else { throw Ext4.Failure(reason: "it could not be opened") }
        handle = opened
        self.source = source
        facts = Superblock(of: opened)
    }

    /// Takes over a filesystem that was opened in another way.
    init(adopting opened: OpaquePointer) {
        handle = opened
        source = nil
        facts = Superblock(of: opened)
    }

    deinit { cext2_close(handle) }

    /// Whether e2fsck has to be run before anything can rely on it: there is something to be replayed, files were removed
    /// while they were open, it was not unmounted, or errors were found.
    package var wantsCheck: Bool { cext2_wants_check(handle) != 0 }

    /// Mode, owner and size of an inode.
    package func status(_ inode: UInt32) throws(Ext4.Failure) -> Ext4Status {
        var status = cext2_status()
        try Self.check(cext2_status_of(handle, inode, &status))
        return Ext4Status(status)
    }

    /// The entries of a folder in the order in which they are stored, `.` and `..` left out.
    ///
    /// - Parameter limit: the most entries; one that has more throws.
    package func entries(of inode: UInt32, limit: Int = 1 << 20) throws(Ext4.Failure) -> [Ext4Entry] {
        let listing = Listing(limit: limit)
        try Self.check(
            cext2_list(handle, inode, Listing.add, Unmanaged.passUnretained(listing).toOpaque()))
        guard !listing.isCut else { throw Ext4.Failure(reason: "the folder has more than \(limit) entries") }
        return listing.entries
    }

    /// The beginning of a file: at most `limit` bytes.
    package func read(_ inode: UInt32, from offset: UInt64 = 0, limit: Int) throws(Ext4.Failure) -> [UInt8] {
        let size = try status(inode).size
        let count = size > offset ? Int(min(size - offset, UInt64(max(0, limit)))) : 0
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        var got = 0
        try Self.check(cext2_read(handle, inode, offset, &bytes, count, &got))
        return got == count ? bytes : Array(bytes.prefix(got))
    }

    /// The target of a symbolic link; it has at most 4095 bytes.
    package func link(_ inode: UInt32) throws(Ext4.Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var got = 0
        try Self.check(cext2_readlink(handle, inode, &bytes, bytes.count, &got))
        return Array(bytes.prefix(got).prefix { $0 != 0 })
    }

    /// The extended attributes by their names, such as `security.capability`.
    package func attributes(_ inode: UInt32) throws(Ext4.Failure) -> [(name: String, value: [UInt8])] {
        let attributes = Attributes()
        try Self.check(
            cext2_attributes(handle, inode, Attributes.add, Unmanaged.passUnretained(attributes).toOpaque()))
        return attributes.found
    }

    /// The ranges of bytes of the filesystem that its bitmap calls free, in order.
    package func freeRanges() throws(Ext4.Failure) -> [Range<UInt64>] {
        let runs = Runs(blockSize: facts.blockSize)
        try Self.check(cext2_free_runs(handle, Runs.add, Unmanaged.passUnretained(runs).toOpaque()))
        return runs.ranges
    }

    /// The ranges of bytes of the filesystem that hold nothing: what is free, and the journal behind its superblock if
    /// there is nothing to be replayed. In order.
    package func unusedRanges() throws(Ext4.Failure) -> [Range<UInt64>] {
        let runs = Runs(blockSize: facts.blockSize)
        try Self.check(cext2_idle_journal(handle, Runs.add, Unmanaged.passUnretained(runs).toOpaque()))
        // A damaged map may lead anywhere.
        let (end, overflow) = facts.blocks.multipliedReportingOverflow(by: facts.blockSize)
        guard !overflow else { throw Ext4.Failure(reason: "it is larger than any disk") }
        let journal = runs.ranges.map { $0.clamped(to: facts.blockSize..<max(end, facts.blockSize)) }
        return (try freeRanges() + journal).filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// The inodes that hold these blocks, 0 where none does. One pass over all inodes.
    package func owners(of blocks: [UInt64]) throws(Ext4.Failure) -> [UInt64: UInt32] {
        let sorted = Set(blocks).sorted()
        var inodes = [UInt32](repeating: 0, count: sorted.count)
        try Self.check(cext2_owners(handle, sorted, sorted.count, &inodes))
        return Dictionary(uniqueKeysWithValues: zip(sorted, inodes))
    }

    /// Where byte `offset` of a file lies: an offset into the filesystem, nil where it is a hole or in the inode.
    package func place(of inode: UInt32, at offset: UInt64) throws(Ext4.Failure) -> UInt64? {
        var block: UInt64 = 0
        try Self.check(cext2_block_of(handle, inode, offset, &block))
        guard block > 0 else { return nil }
        let (start, overflow) = block.multipliedReportingOverflow(by: facts.blockSize)
        return overflow ? nil : start
    }

    static func check(_ code: Int) throws(Ext4.Failure) {
        guard code == 0 else { throw Ext4.Failure(reason: String(cString: cext2_message(code))) }
    }
}

/// What an inode says of itself.
package struct Ext4Status: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case file, folder, link, characterDevice, blockDevice, pipe, socket
        /// A mode that no file has.
        case unknown
    }

    package var kind: Kind
    /// The lower 12 bits of the mode.
    package var permissions: UInt16
    package var user: UInt32
    package var group: UInt32
    /// In bytes.
    package var size: UInt64
    package var links: UInt32
    /// Of device nodes.
    package var device: (major: UInt32, minor: UInt32) { (deviceMajor, deviceMinor) }
    private var deviceMajor: UInt32
    private var deviceMinor: UInt32

    init(_ status: cext2_status) {
        kind =
            switch status.mode & 0o170000 {
            case 0o100000: .file
            case 0o040000: .folder
            case 0o120000: .link
            case 0o020000: .characterDevice
            case 0o060000: .blockDevice
            case 0o010000: .pipe
            case 0o140000: .socket
            default: .unknown
            }
        permissions = status.mode & 0o7777
        user = status.user
        group = status.group
        size = status.size
        links = status.links
        deviceMajor = status.major
        deviceMinor = status.minor
    }
}

/// A name in a folder.
package struct Ext4Entry: Hashable, Sendable {
    package var name: [UInt8]
    package var inode: UInt32
}

extension Ext4Filesystem.Superblock {
    init(of handle: OpaquePointer) {
        var facts = cext2_facts()
        cext2_facts_of(handle, &facts)
        self.init(facts)
    }

    init(_ facts: cext2_facts) {
        blocks = facts.blocks
        blockSize = UInt64(facts.block_size)
        isClean = facts.state == 1
        mounts = Int(facts.mounts)
        needsRecovery = facts.needs_recovery != 0
        let digits = withUnsafeBytes(of: facts.uuid) { bytes in
            bytes.flatMap { byte in [byte >> 4, byte & 15].map { Array("0123456789abcdef")[Int($0)] } }
        }
        uuid = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
        label = withUnsafeBytes(of: facts.label) { Array($0.prefix { $0 != 0 }) }
        lastMounted = withUnsafeBytes(of: facts.last_mounted) { Array($0.prefix { $0 != 0 }) }
    }
}

/// Collects what the library's callbacks bring.
private final class Listing {
    var entries: [Ext4Entry] = []
    var isCut = false
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    static let add: cext2_entry = { context, name, length, inode in
        guard let context, let name else { return 0 }
        let listing = Unmanaged<Listing>.fromOpaque(context).takeUnretainedValue()
        guard listing.entries.count < listing.limit else {
            listing.isCut = true
            return 1
        }
        listing.entries.append(
            Ext4Entry(name: Array(UnsafeBufferPointer(start: name, count: length)), inode: inode))
        return 0
    }
}

private final class Attributes {
    var found: [(name: String, value: [UInt8])] = []

    static let add: cext2_attribute = { context, name, value, length in
        guard let context, let name else { return 0 }
        let attributes = Unmanaged<Attributes>.fromOpaque(context).takeUnretainedValue()
        attributes.found.append(
            (String(cString: name), value.map { Array(UnsafeBufferPointer(start: $0, count: length)) } ?? []))
        return attributes.found.count < 1000 ? 0 : 1
    }
}

/// Runs of blocks as ranges of bytes.
final class Runs {
    var ranges: [Range<UInt64>] = []
    private let blockSize: UInt64

    init(blockSize: UInt64) { self.blockSize = blockSize }

    static let add: cext2_run = { context, first, count in
        guard let context else { return 1 }
        let runs = Unmanaged<Runs>.fromOpaque(context).takeUnretainedValue()
        let (start, overflow) = first.multipliedReportingOverflow(by: runs.blockSize)
        let (length, excess) = count.multipliedReportingOverflow(by: runs.blockSize)
        let (end, carry) = start.addingReportingOverflow(length)
        guard !overflow, !excess, !carry else { return 1 }
        runs.ranges.append(start..<end)
        return 0
    }
}
