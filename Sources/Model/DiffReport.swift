/// What differs between two images, or between two archives.
package struct DiffReport: Hashable, Sendable, Codable {
    /// One of the two files.
    package struct Side: Hashable, Sendable, Codable {
        /// `raw`, `qcow2`, `tar`.
        package var format: String
        /// What a guest sees of a disk; of an archive, the bytes of its members.
        package var size: ByteCount
        package var fileSize: ByteCount

        package init(format: String, size: ByteCount, fileSize: ByteCount) {
            self.format = format
            self.size = size
            self.fileSize = fileSize
        }
    }

    /// Which of the two something is true of.
    package enum Which: String, Hashable, Sendable, Codable {
        case first
        case second
    }

    /// The first differing bytes of a region on both sides.
    package struct Sample: Hashable, Sendable, Codable {
        /// In bytes of the disk, or of the file.
        package var offset: UInt64
        package var first: [UInt8]
        package var second: [UInt8]

        package init(offset: UInt64, first: [UInt8], second: [UInt8]) {
            self.offset = offset
            self.first = first
            self.second = second
        }
    }

    /// A structure or a file that differs.
    package struct Part: Hashable, Sendable, Codable {
        /// `superblock`, `inode 12`, `content of a file`.
        package var what: String
        /// The files it belongs to, in the form of `BytePath`.
        package var paths: [String]
        /// What is different in it, each a few words: `mtime: … → …`.
        package var changes: [String]
        /// Nil if it is so on both sides.
        package var only: Which?

        package init(_ what: String, paths: [String] = [], changes: [String] = [], only: Which? = nil) {
            self.what = what
            self.paths = paths
            self.changes = changes
            self.only = only
        }
    }

    /// A range of a disk in which sectors differ.
    package struct Region: Hashable, Sendable, Codable {
        /// Bytes from the start of the disk.
        package var offset: UInt64
        /// In bytes, from the first differing sector to the last.
        package var length: UInt64
        package var sectors: UInt64
        /// Where on the disk it is: `partition 3 'root' (ext4)`.
        package var place: String
        /// Bytes from the start of the place.
        package var offsetInPlace: UInt64
        package var parts: [Part]
        /// How many more parts there are, or nil if not all of the region was looked at.
        package var moreParts: Int?
        package var sample: Sample?

        package init(
            offset: UInt64, length: UInt64, sectors: UInt64, place: String, offsetInPlace: UInt64, parts: [Part] = [],
            moreParts: Int? = 0, sample: Sample? = nil
        ) {
            self.offset = offset
            self.length = length
            self.sectors = sectors
            self.place = place
            self.offsetInPlace = offsetInPlace
            self.parts = parts
            self.moreParts = moreParts
            self.sample = sample
        }
    }

    /// How much differs at a place of the disk.
    package struct PlaceCount: Hashable, Sendable, Codable {
        package var place: String
        package var regions: Int
        package var sectors: UInt64
        /// The files whose content, folder entries or inodes differ in the regions that were looked at.
        package var paths: [String]

        package init(place: String, regions: Int, sectors: UInt64, paths: [String] = []) {
            self.place = place
            self.regions = regions
            self.sectors = sectors
            self.paths = paths
        }
    }

    /// A member of an archive that is not the same in both.
    package struct Entry: Hashable, Sendable, Codable {
        /// In the form of `BytePath`.
        package var path: String
        /// What is different: `mode: 0644 → 0755`.
        package var changes: [String]
        package var only: Which?
        package var sample: Sample?

        package init(path: String, changes: [String] = [], only: Which? = nil, sample: Sample? = nil) {
            self.path = path
            self.changes = changes
            self.only = only
            self.sample = sample
        }
    }

    package var first: Side
    package var second: Side
    /// Whether guests see the same disk, or the archives have the same members.
    package var isEqual: Bool
    /// Whether the files are the same, byte by byte.
    package var filesAreEqual: Bool
    /// What differs as a whole, a sentence each.
    package var notes: [String]
    /// Of disks: the first regions in detail.
    package var regions: [Region]
    /// Of disks: all regions, counted, in the order of the disk.
    package var places: [PlaceCount]
    /// Of disks: how many regions, from the first on, were looked at for the paths in `places`.
    package var regionsLookedAt: Int
    /// Of archives: the first members in detail.
    package var entries: [Entry]
    /// Of archives: how many members differ, and how many are the same.
    package var differingEntries: Int
    package var equalEntries: Int

    package var regionCount: Int { places.reduce(0) { $0 + $1.regions } }
    package var sectorCount: UInt64 { places.reduce(0) { $0 + $1.sectors } }

    package init(first: Side, second: Side, isEqual: Bool, filesAreEqual: Bool) {
        self.first = first
        self.second = second
        self.isEqual = isEqual
        self.filesAreEqual = filesAreEqual
        notes = []
        regions = []
        places = []
        regionsLookedAt = 0
        entries = []
        differingEntries = 0
        equalEntries = 0
    }
}
