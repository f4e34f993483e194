import Model
import DiskFormats
import Filesystems

/// The disk below the files.
enum DiskRules {
    static let rules = [filesystem, secrets, freeSpace, container, partitions]

    private static let filesystem = Rule(
        "H-52", "Filesystems are sound and were never in use.",
        reason: "An instance stops at its first boot, or loses files later.",
        hint: "make the image anew; a filesystem that was mounted has to be unmounted and checked",
        checks: [
            Check("e2fsck") { image in
                image.facts.checks.sorted { $0.key < $1.key }.flatMap { offset, lines in
                    lines.prefix(5).map { Observation("filesystem at byte \(offset)", $0) }
                }
            },
            each { facts in facts.isClean ? nil : "it was not unmounted, or has errors" },
            each { facts in facts.needsRecovery ? "its journal has to be replayed" : nil },
            each { facts in facts.mounts > 0 ? "it was mounted \(facts.mounts) times" : nil },
            each { facts in
                let isUsual = facts.lastMounted.isEmpty || facts.lastMounted == Array("/".utf8)
                let place = BytePath.text(facts.lastMounted)
                return isUsual || place == "/boot" ? nil : "it was mounted on \(place)"
            },
            each { facts in
                facts.label.contains(UInt8(ascii: "/")) && facts.label != Array("/".utf8)
                    ? "its label is the path \(BytePath.text(facts.label))" : nil
            },
            Check("tree") { image in
                image.filesystems.flatMap { offset, tree in
                    tree.problems.prefix(20).map { Observation("filesystem at byte \(offset)", $0) }
                }
            },
        ])

    private static func each(_ problem: @escaping @Sendable (Ext4Filesystem.Superblock) -> String?) -> Check {
        Check("superblock") { image in
            image.filesystems.compactMap { offset, tree in
                problem(tree.filesystem.facts).map { Observation("filesystem at byte \(offset)", $0) }
            }
        }
    }

    private static let secrets = Rule(
        "H-53", "No secret, no trace of the builder and no private key is anywhere on the disk.",
        reason: "What was deleted is still there for everybody who has the image.",
        hint: "do not write it in the tree, not even for a moment: commands find secrets in /run/secrets",
        mayBeWaived: true,
        checks: [
            scan { match, _ in
                guard case .secret(let name, let form) = match.subject else { return nil }
                return "the secret '\(name)' is there \(form)"
            },
            scan { match, _ in
                guard case .trace(let what) = match.subject else { return nil }
                return "\(what) is there"
            },
            scan { match, image in
                guard match.subject == .privateKey else { return nil }
                return match.path.map(image.isPublic) ?? false ? nil : "a private key is there"
            },
            scan { match, _ in match.subject == .tooMany ? "there are too many matches to tell them all" : nil },
        ])

    private static func scan(_ message: @escaping @Sendable (ScanMatch, Inspection) -> String?) -> Check {
        Check("scan") { image in
            try image.scanned().compactMap { match in
                message(match, image).map {
                    Observation(match.place, $0, evidence: match.evidence.isEmpty ? nil : match.evidence)
                }
            }
        }
    }

    private static let freeSpace = Rule(
        "H-54", "Free space is zero.",
        reason: "It holds what was deleted, and makes the image larger.",
        hint: "write the filesystem anew, or run zerofree",
        checks: [
            Check("free") { image in
                try image.filesystems.compactMap { offset, tree in
                    let free = try tree.filesystem.freeRanges().compactMap { range -> Range<Int64>? in
                        let (start, one) = range.lowerBound.addingReportingOverflow(offset)
                        let (end, other) = range.upperBound.addingReportingOverflow(offset)
                        guard !one, !other, end <= image.bytes.size else { return nil }
                        return Int64(start)..<Int64(end)
                    }
                    let total = free.reduce(Int64(0)) { $0 + Int64($1.count) }
                    let used = try ZeroCheck.used(in: free, of: image)
                    guard used > total / 1000 else { return nil }
                    return Observation("filesystem at byte \(offset)", "\(used) bytes of its free space are not zero")
                }
            },
            Check("slack") { image in
                try image.filesystems.compactMap { offset, tree in
                    var dirty: [BytePath] = []
                    for node in tree.nodes where node.status.kind == .file {
                        if try hasDirtySlack(node, tree.filesystem, at: offset, image) { dirty.append(node.path) }
                    }
                    guard let first = dirty.first else { return nil }
                    let others = dirty.count > 1 ? " (and that of \(dirty.count - 1) others)" : ""
                    return Observation("\(first)", "the end of its last block is not zero\(others)")
                }
            },
        ])

    /// Whether there is something in a file's last block behind its end.
    private static func hasDirtySlack(
        _ node: ImageTree.Node, _ filesystem: Ext4Filesystem, at offset: UInt64, _ image: Inspection
    ) throws -> Bool {
        let size = filesystem.facts.blockSize
        let used = node.status.size % size
        guard used > 0, let place = try? filesystem.place(of: node.inode, at: node.status.size) else { return false }
        let (start, overflow) = place.addingReportingOverflow(offset)
        let (slack, excess) = start.addingReportingOverflow(used)
        guard !overflow, !excess else { return false }
        let rest = try image.bytes.bytes(at: slack, count: Int(size - used)).content
        return rest.withUnsafeBytes { !ZeroCheck.isZero($0) }
    }

    private static let container = Rule(
        "H-55", "The file of the image is whole, plain and of one piece.",
        reason: "Snapshots and damaged files hold other disks than the one that was checked.",
        hint: "convert it anew: qemu-img convert",
        checks: [
            Check("format") { image in image.facts.container.map { Observation("image file", $0) } },
            Check("size") { image in
                image.bytes.size % 512 == 0
                    ? [] : [Observation("image file", "its size is not a multiple of 512 bytes")]
            },
            Check("size") { image in
                image.filesystems.compactMap { offset, tree in
                    let facts = tree.filesystem.facts
                    let (length, overflow) = facts.blocks.multipliedReportingOverflow(by: facts.blockSize)
                    let (end, carry) = length.addingReportingOverflow(offset)
                    guard overflow || carry || end > image.bytes.size else { return nil }
                    return Observation("filesystem at byte \(offset)", "it reaches beyond the end of the disk")
                }
            },
        ])

    private static let partitions = Rule(
        "H-56", "The partition table is sound, alone, and its ESP was unmounted.",
        reason: "Firmware and kernel may see different disks; a dirty ESP is checked at each boot.",
        hint: "write the table anew with sfdisk; check the ESP with fsck.vfat -a",
        checks: [
            Check("table") { image in
                (image.table?.problems.map { "\($0)" } ?? []).map { Observation("partition table", $0) }
                    + (image.tableFailure.map { [Observation("partition table", $0)] } ?? [])
            },
            Check("ids") { image in
                guard let table = image.table else { return [] }
                var missing: [String] = []
                switch table.scheme {
                case .gpt(let disk, _) where disk.isZero: missing.append("the disk has no GUID")
                case .mbr(0): missing.append("the disk has no signature")
                default: break
                }
                for partition in table.partitions {
                    if case .gpt(_, let unique, _, _) = partition.kind, unique.isZero {
                        missing.append("partition \(partition.number) has no GUID")
                    }
                }
                return missing.map { Observation("partition table", $0) }
            },
            Check("signatures") { image in
                try OldSignatures.places(image).map { Observation($0.place, "there is an old \($0.what)") }
            },
            Check("esp") { image in
                try image.esp?.isDirty() == true ? [Observation("ESP", "it was not unmounted")] : []
            },
        ])
}

/// Superblocks of LVM and of Linux's RAID, which are found though the partition table says otherwise.
private enum OldSignatures {
    static func places(_ image: Inspection) throws -> [(place: String, what: String)] {
        var found: [(place: String, what: String)] = []
        var parts: [(String, Range<Int64>)] = [("disk", 0..<Int64(image.bytes.size))]
        for partition in image.table?.partitions ?? [] {
            if let range = partition.byteRange(sectorSize: image.table?.sectorSize ?? 512) {
                parts.append(("partition \(partition.number)", range))
            }
        }
        for (name, range) in parts where range.upperBound <= Int64(image.bytes.size) {
            let size = Int64(range.count)
            let ends = [0, 4096, (size - 8192) & ~4095, (size & ~65535) - 65536].filter { $0 >= 0 }
            if try ends.contains(where: { try image.has([0xfc, 0x4e, 0x2b, 0xa9], at: range.lowerBound + $0) }) {
                found.append((name, "RAID superblock"))
            }
            if try (0..<4).contains(where: {
                try image.has(Array("LABELONE".utf8), at: range.lowerBound + Int64($0) * 512)
            }) {
                found.append((name, "LVM label"))
            }
        }
        return found
    }
}

extension Inspection {
    /// Whether these bytes stand at a place of the disk.
    fileprivate func has(_ expected: [UInt8], at offset: Int64) throws -> Bool {
        try bytes.bytes(at: UInt64(max(0, offset)), count: expected.count).content == expected
    }
}
