import DiskFormats
package import Model

/// The disk from which cloud-init's data source NoCloud reads: files under their fixed names in the root folder of a
/// volume that is called `cidata`.
package enum NoCloudSeed {
    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// ISO 9660 with the names of Joliet and Rock Ridge.
        case iso
        /// A FAT volume without a partition table.
        case fat
    }

    /// A name for an instance that no other one has.
    package static func newInstance() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = (0..<32).map { position -> UInt8 in
            switch position {
            // Version 4 and the variant of RFC 9562.
            case 12: UInt8(ascii: "4")
            case 16: digits[Int.random(in: 8...11)]
            default: digits[Int.random(in: 0...15)]
            }
        }
        let lengths = [8, 4, 4, 4, 12]
        let groups = lengths.indices.map { index in
            String(decoding: text.dropFirst(lengths[..<index].reduce(0, +)).prefix(lengths[index]), as: UTF8.self)
        }
        return "imgf-" + groups.joined(separator: "-")
    }

    /// The bytes of the disk, the same for the same files and instance. cloud-init takes no seed without user-data and
    /// meta-data, so what is missing of them is made.
    ///
    /// - Parameter instance: stands in meta-data that names none itself.
    /// Throws `FactoryError` for files that are too large.
    package static func image(
        _ format: Format, _ files: [SeedFile.Kind: [UInt8]], instance: String
    ) throws -> [UInt8] {
        let complete = complete(files, instance: instance)
        let sorted = complete.sorted { $0.key.rawValue < $1.key.rawValue }
        do {
            switch format {
            case .iso:
                var image = ISO9660Writer(label: "cidata")
                for (kind, content) in sorted { try image.add(kind.rawValue, content) }
                return image.bytes()
            case .fat:
                var volume = FAT12Writer(label: "CIDATA")
                for (kind, content) in sorted { try volume.add(kind.rawValue, content) }
                return try volume.bytes()
            }
        } catch let error as FileAccessError {
            throw FactoryError(
                .definition, "the seed for cloud-init cannot be made: \(error)",
                remedy: "let user-data include what is large by '#include' and an address")
        }
    }

    /// All that the disk has to hold.
    static func complete(_ files: [SeedFile.Kind: [UInt8]], instance: String) -> [SeedFile.Kind: [UInt8]] {
        var complete = files
        complete[.metaData] = metaData(files[.metaData] ?? [], instance: instance)
        // An empty file would be warned of, in the guest, as one of an unknown kind.
        if files[.userData]?.isEmpty != false { complete[.userData] = Array("#cloud-config\n{}\n".utf8) }
        return complete
    }

    /// Meta-data with an instance-id. It is YAML or JSON, and not more than that is known of it here: the line goes in front
    /// of its first key.
    static func metaData(_ bytes: [UInt8], instance: String) -> [UInt8] {
        let key = "instance-id"
        let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let isKey = { (line: String) in
            let word = line.drop { $0 == " " || $0 == "\"" || $0 == "'" }
            return word.hasPrefix(key) && word.dropFirst(key.count).drop { "\"' ".contains($0) }.hasPrefix(":")
        }
        let first = lines.firstIndex { line in
            let word = line.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
            return !word.isEmpty && !word.hasPrefix("#") && !word.hasPrefix("---") && !word.hasPrefix("%")
        }
        guard let first else {
            let ending = bytes.isEmpty || bytes.last == 0x0a ? "" : "\n"
            return bytes + Array("\(ending)\(key): \(instance)\n".utf8)
        }
        let word = lines[first].drop { $0 == " " || $0 == "\t" }
        if word.hasPrefix("{") {
            let text = lines[first...].joined(separator: "\n")
            let places = text.split(whereSeparator: { "{,\n".contains($0) }).map(String.init)
            if places.contains(where: isKey) { return bytes }
            lines[first] = lines[first].replacingFirst("{", by: "{\"\(key)\": \"\(instance)\", ")
        } else {
            let indent = lines[first].prefix { $0 == " " }
            if lines.contains(where: { $0.prefix { $0 == " " } == indent && isKey($0) }) { return bytes }
            lines.insert("\(indent)\(key): \(instance)", at: first)
        }
        return Array(lines.joined(separator: "\n").utf8)
    }
}

extension String {
    fileprivate func replacingFirst(_ character: Character, by text: String) -> String {
        guard let place = firstIndex(of: character) else { return self }
        return self[..<place] + text + self[index(after: place)...]
    }
}
