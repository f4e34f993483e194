import Model
import DiskFormats
import Filesystems

/// What is mounted and what is booted.
enum BootRules {
    static let rules = [swap, tables, entryToken]

    private static let swapType = GUID("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F")
    private static let volumeTypes = [
        GUID("E6D6D379-F507-44C2-A23C-238F2A3DF928"), GUID("A19D880F-05FC-4D3B-A006-743F0F84911E"),
    ]

    private static let swap = Rule(
        "H-40", "Swap space is unused, and no volume of the build is there.",
        reason: "Swap holds the memory of the build, passwords too.",
        hint: "make it anew: mkswap; remove a swap file and let instances make theirs",
        checks: [
            .absentOrEmpty("/{swapfile,swap.img,swap}"),
            Check("content") { image in
                try partitions(image) {
                    $0 == swapType
                } mbr: {
                    $0 == 0x82
                }.flatMap { number, range in
                    // The first page is the header.
                    let body = min(range.lowerBound + 4096, range.upperBound)..<range.upperBound
                    let used = try ZeroCheck.used(in: [body], of: image)
                    return used == 0
                        ? [] : [Observation("partition \(number)", "its swap space has \(used) bytes of data")]
                }
            },
            .absent("/etc/lvm/devices/system.devices"),
            Check("partitions") { image in
                partitions(image) {
                    volumeTypes.contains($0)
                } mbr: {
                    $0 == 0x8e || $0 == 0xfd
                }.map {
                    Observation("partition \($0.number)", "it is one of LVM or RAID")
                }
            },
        ])

    private static func partitions(
        _ image: Inspection, gpt: (GUID?) -> Bool, mbr: (UInt8) -> Bool
    ) -> [(number: Int, range: Range<Int64>)] {
        (image.table?.partitions ?? []).compactMap { partition in
            let isOne =
                switch partition.kind {
                case .gpt(let type, _, _, _): gpt(type)
                case .mbr(let type, _): mbr(type)
                }
            guard isOne, let range = partition.byteRange(sectorSize: image.table?.sectorSize ?? 512) else { return nil }
            return (partition.number, range)
        }
    }

    private static let tables = Rule(
        "H-41", "What fstab, crypttab and the boot loader name is in the image.",
        reason: "An instance waits for a disk that never comes, or boots another one.",
        hint: "name filesystems by the UUID that they have",
        checks: [
            .lines("/etc/{fstab,crypttab}") { line, image in
                let known = Identifiers(image)
                return Lines.words(line).prefix(2).contains { known.isUnknown($0) } ? "it names what is not there" : nil
            },
            .lines("/etc/{fstab,crypttab}") { line, _ in
                Lines.words(line).prefix(2).contains(where: isBuildDevice) ? "it names a device of the build" : nil
            },
            .lines("/etc/fstab") { line, _ in
                let words = Lines.words(line)
                return words.count > 2 && words[2].contains("iso9660") ? "it mounts a CD-ROM" : nil
            },
            .lines(menus) { line, image in
                let known = Identifiers(image)
                let roots = Lines.words(line).filter { $0.hasPrefix("root=") }.map { String($0.dropFirst(5)) }
                if roots.contains(where: known.isUnknown) { return "it boots what is not there" }
                return roots.contains(where: isBuildDevice) ? "it boots a device of the build" : nil
            },
            .lines(menus) { line, image in
                let words = Lines.words(line)
                guard words.first == "search", words.contains("--fs-uuid"), let id = words.last else { return nil }
                return Identifiers(image).isUnknown("UUID=" + id) ? "it searches what is not there" : nil
            },
        ])

    private static let menus = "/{boot/grub/grub.cfg,boot/grub2/grub.cfg,boot/loader/entries/*.conf}"

    private static func isBuildDevice(_ word: String) -> Bool {
        [
            "/dev/sd", "/dev/hd", "/dev/vd", "/dev/loop", "/dev/nbd", "/dev/nvme", "/dev/sr", "/dev/cdrom",
            "/dev/mapper/",
        ]
        .contains { word.hasPrefix($0) }
    }

    private static let entryToken = Rule(
        "H-42", "No boot entry has the name of a machine id.",
        verdict: .warning,
        reason: "It is the id of the build, by which kernels of instances are filed.",
        hint: "use an entry token of the distribution: kernel-install --entry-token=os-id",
        checks: [
            Check("content") { image in
                image.lines("/etc/kernel/entry-token").filter { Lines.isMachineID(Array($0.utf8)) }.map {
                    Observation("/etc/kernel/entry-token", "it is a machine id", evidence: Array($0.utf8))
                }
            },
            Check("absent") { image in
                image.tree.match("/{boot,efi,boot/efi}/*").filter { Lines.isMachineID($0.path.last) }.map {
                    Observation("\($0.path)", "its name is a machine id")
                }
            },
        ])
}

/// By what names the filesystems and partitions of an image can be found.
private struct Identifiers {
    private let known: Set<String>

    init(_ image: Inspection) {
        var known: Set<String> = []
        for (_, tree) in image.filesystems {
            known.insert("UUID=" + tree.filesystem.facts.uuid)
            known.insert("LABEL=" + String(decoding: tree.filesystem.facts.label, as: UTF8.self))
        }
        if let esp = image.esp {
            known.insert("UUID=" + esp.identifier.lowercased())
            known.insert("LABEL=" + esp.label)
        }
        for partition in image.table?.partitions ?? [] {
            if let range = partition.byteRange(sectorSize: image.table?.sectorSize ?? 512) {
                known.formUnion(Self.others(image, at: UInt64(range.lowerBound)).map { "UUID=" + $0 })
            }
            if case .gpt(_, let unique, let name, _) = partition.kind {
                known.insert("PARTUUID=" + "\(unique)".lowercased())
                known.insert("PARTLABEL=" + name)
            } else if case .mbr(let signature)? = image.table?.scheme {
                let digits = String(signature, radix: 16)
                let number = String(partition.number, radix: 16)
                known.insert(
                    "PARTUUID=" + String(repeating: "0", count: 8 - digits.count) + digits + "-"
                        + (number.count < 2 ? "0" : "") + number)
            }
        }
        self.known = known
    }

    /// The id of swap space, XFS or btrfs that begins at a byte of the disk.
    private static func others(_ image: Inspection, at start: UInt64) -> [String] {
        let kinds: [(magic: String, place: UInt64, id: UInt64)] = [
            ("SWAPSPACE2", 4086, 1036), ("XFSB", 0, 32), ("_BHRfS_M", 0x10040, 0x10020),
        ]
        return kinds.compactMap { kind in
            let magic = Array(kind.magic.utf8)
            guard let found = try? image.bytes.bytes(at: start &+ kind.place, count: magic.count).content,
                found == magic, let id = try? image.bytes.bytes(at: start &+ kind.id, count: 16).content, id.count == 16
            else { return nil }
            let digits = Hexadecimal.string(id)
            return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
                String(digits.dropFirst(range.lowerBound).prefix(range.count))
            }.joined(separator: "-")
        }
    }

    /// Whether the word names something by an id or a label, and that is not in the image.
    func isUnknown(_ word: String) -> Bool {
        var word = word.filter { $0 != "\"" }
        for (folder, key) in [
            ("uuid", "UUID"), ("label", "LABEL"), ("partuuid", "PARTUUID"), ("partlabel", "PARTLABEL"),
        ] {
            let prefix = "/dev/disk/by-\(folder)/"
            if word.hasPrefix(prefix) { word = key + "=" + word.dropFirst(prefix.count) }
        }
        guard let sign = word.firstIndex(of: "="), ["UUID", "LABEL", "PARTUUID", "PARTLABEL"].contains(word[..<sign])
        else { return false }
        let value = word[word.index(after: sign)...]
        let isLabel = word[..<sign].hasSuffix("LABEL")
        return !known.contains(word[...sign] + (isLabel ? String(value) : value.lowercased()))
    }
}
