package import DiskFormats
import Filesystems
package import Model

/// Compares two disks and tells what differs by the names that people know.
package struct DiskDiff {
    private let first: DiskSide
    private let second: DiskSide
    private let comparison: DiskComparison

    /// Regions that are looked at for the paths of the files in them.
    private static let mostRegions = 2048
    private static let mostRuns = 1024
    private static let mostPieces = 4096
    private static let mostParts = 20
    private static let mostChanges = 8
    private static let mostPaths = 1000

    /// Throws only if a disk cannot be read.
    package init(_ first: GuestDisk, _ second: GuestDisk) throws {
        self.first = try DiskSide(first)
        self.second = try DiskSide(second)
        let borders = (self.first.map.places + self.second.map.places).flatMap {
            [$0.bytes.lowerBound, $0.bytes.upperBound]
        }
        comparison = DiskComparison(first, second, borders: borders)
    }

    /// Adds to a report what differs.
    ///
    /// - Parameter limit: the regions that are told in detail.
    package func run(limit: Int, into report: inout DiffReport, check: () throws -> Void = {}) throws {
        var kept: [DiskComparison.Region] = []
        var counts: [(name: String, regions: Int, sectors: UInt64)] = []
        try comparison.forEachRegion(check: check) { region in
            if kept.count < max(limit, Self.mostRegions) { kept.append(region) }
            let name = placeName(region.bytes.lowerBound)
            if let at = counts.lastIndex(where: { $0.name == name }) {
                counts[at].regions += 1
                counts[at].sectors += region.sectors
            } else {
                counts.append((name, 1, region.sectors))
            }
        }
        report.isEqual = counts.isEmpty && first.disk.size == second.disk.size
        report.places = counts.map { .init(place: $0.name, regions: $0.regions, sectors: $0.sectors) }
        report.notes = sizeNotes() + tableNotes()
        let described = try describe(kept, check: check)
        report.regions = Array(described.prefix(limit))
        report.regionsLookedAt = described.count
        for at in report.places.indices {
            let parts = described.filter { $0.place == report.places[at].place }.flatMap(\.parts)
            var seen: Set<String> = []
            report.places[at].paths = Array(
                parts.flatMap(\.paths).filter { seen.insert($0).inserted }.prefix(Self.mostPaths))
        }
        report.notes += first.allProblems.map { "first: \($0)" } + second.allProblems.map { "second: \($0)" }
    }

    private func sizeNotes() -> [String] {
        let (one, other) = (first.disk.size, second.disk.size)
        guard one != other else { return [] }
        return ["the disks have different sizes: \(one) and \(other) bytes"]
    }

    private func tableNotes() -> [String] {
        guard let one = first.map.table, let other = second.map.table else {
            if first.map.problem == second.map.problem { return [] }
            return [
                "the disks are not divided alike: "
                    + "first: \(first.map.problem ?? "a partition table"), second: \(second.map.problem ?? "a partition table")"
            ]
        }
        let before = one.partitions.map { [UInt64($0.number), $0.firstLBA, $0.lastLBA] }
        let after = other.partitions.map { [UInt64($0.number), $0.firstLBA, $0.lastLBA] }
        if one.isGPT != other.isGPT { return ["one disk has a GPT and the other an MBR: partitions do not match"] }
        if before != after || one.sectorSize != other.sectorSize {
            return ["the partition tables differ: partitions do not match"]
        }
        return []
    }

    /// Where a byte is, by the names of both sides where they are not the same.
    private func placeName(_ offset: UInt64) -> String {
        let one = first.map.place(at: offset).map(first.name(of:))
        let other = second.map.place(at: offset).map(second.name(of:))
        switch (one, other) {
        case (let one?, let other?):
            return one == other ? one : "\(one) of the first, \(other) of the second"
        case (let one?, nil): return "\(one), behind the end of the second"
        case (nil, let other?): return "\(other), behind the end of the first"
        case (nil, nil): return "behind the end"
        }
    }

    private func describe(
        _ regions: [DiskComparison.Region], check: () throws -> Void
    ) throws -> [DiffReport.Region] {
        var runs: [[Range<UInt64>]] = []
        for region in regions {
            try check()
            let found = try comparison.runs(in: region.bytes, limit: Self.mostRuns).map(exact)
            for run in found {
                for side in [first, second] { side.filesystem(at: run.lowerBound)?.prepare(run) }
            }
            runs.append(found)
        }
        return try zip(regions, runs).map { region, runs in
            try check()
            return try describe(region, runs)
        }
    }

    /// A run of sectors without the bytes at its start that are the same.
    private func exact(_ run: Range<UInt64>) throws -> Range<UInt64> {
        let (one, other) = (try bytes(first, run, most: 512), try bytes(second, run, most: 512))
        let same = zip(one, other).prefix { $0 == $1 }.count
        return run.lowerBound + UInt64(same == one.count ? 0 : same)..<run.upperBound
    }

    /// Bytes of a side; behind the end of its disk they are zero.
    private func bytes(_ side: DiskSide, _ range: Range<UInt64>, most: Int = 1 << 16) throws -> [UInt8] {
        let count = Int(min(range.upperBound - range.lowerBound, UInt64(most)))
        let found = try side.disk.bytes(at: range.lowerBound, count: count).content
        return found + [UInt8](repeating: 0, count: count - found.count)
    }

    private func describe(
        _ region: DiskComparison.Region, _ runs: [Range<UInt64>]
    ) throws -> DiffReport.Region {
        let place = first.map.place(at: region.bytes.lowerBound) ?? second.map.place(at: region.bytes.lowerBound)
        var found = DiffReport.Region(
            offset: region.bytes.lowerBound, length: UInt64(region.bytes.count), sectors: region.sectors,
            place: placeName(region.bytes.lowerBound),
            offsetInPlace: region.bytes.lowerBound - (place?.bytes.lowerBound ?? 0))
        if let at = runs.first?.lowerBound {
            let range = at..<at + 16
            found.sample = .init(offset: at, first: try bytes(first, range), second: try bytes(second, range))
        }
        let (mine, isMineWhole) = try pieces(first, runs)
        let (theirs, isTheirsWhole) = try pieces(second, runs)
        let parts = try parts(mine, theirs)
        found.parts = Array(parts.prefix(Self.mostParts))
        let isWhole = isMineWhole && isTheirsWhole && runs.count < Self.mostRuns
        found.moreParts = isWhole ? parts.count - found.parts.count : nil
        return found
    }

    /// The pieces of a side that differ, each once, in order; and whether they are all.
    private func pieces(_ side: DiskSide, _ runs: [Range<UInt64>]) throws -> (pieces: [Piece], areAll: Bool) {
        var found: [Piece] = []
        var keys: Set<String> = []
        var count = 0
        for run in runs {
            var at = run.lowerBound
            while at < run.upperBound, let piece = side.piece(at: at) {
                count += 1
                guard count <= Self.mostPieces else { return (found, false) }
                if !piece.what.isEmpty, !keys.contains(piece.key),
                    try differs(piece.bytes.clamped(to: at..<run.upperBound))
                {
                    keys.insert(piece.key)
                    found.append(piece)
                }
                at = max(at + 1, piece.bytes.upperBound)
            }
        }
        return (found, true)
    }

    private func differs(_ range: Range<UInt64>) throws -> Bool { try bytes(first, range) != bytes(second, range) }

    /// What is the same on both sides is one part.
    private func parts(_ mine: [Piece], _ theirs: [Piece]) throws -> [DiffReport.Part] {
        let others = Dictionary(theirs.map { ($0.key, $0) }) { one, _ in one }
        let keys = Set(mine.map(\.key))
        var parts: [DiffReport.Part] = []
        for piece in mine {
            guard let other = others[piece.key] else {
                parts.append(.init(piece.what, paths: piece.paths, only: .first))
                continue
            }
            var changes = try changes(piece, other)
            if changes.count > Self.mostChanges {
                changes = changes.prefix(Self.mostChanges) + ["\(changes.count - Self.mostChanges) more"]
            }
            let paths = piece.paths + other.paths.filter { !piece.paths.contains($0) }
            parts.append(.init(piece.what, paths: paths, changes: changes))
        }
        return parts + theirs.filter { !keys.contains($0.key) }.map { .init($0.what, paths: $0.paths, only: .second) }
    }

    private func changes(_ piece: Piece, _ other: Piece) throws -> [String] {
        guard piece.bytes == other.bytes else { return [] }
        let (one, two) = (try bytes(first, piece.bytes)[...], try bytes(second, piece.bytes)[...])
        switch piece.structure {
        case .none: return []
        case .fields(let fields): return fields.changes(one, two)
        case .bitmap:
            let set = zip(one, two).reduce(into: (0, 0)) { count, pair in
                count.0 += (pair.0 & ~pair.1).nonzeroBitCount
                count.1 += (pair.1 & ~pair.0).nonzeroBitCount
            }
            return ["\(set.0) in use only in the first, \(set.1) only in the second"]
        case .folder(let inode):
            guard let mine = first.filesystem(at: piece.bytes.lowerBound),
                let theirs = second.filesystem(at: piece.bytes.lowerBound)
            else { return [] }
            return mine.changes(ofFolder: inode, to: theirs)
        case .fatEntry:
            let name = FATFields.name(one.first == 0 ? two : one)
            return FATFields.entry.changes(one, two).map { "\(name): \($0)" }
        }
    }
}

extension FATFields {
    /// The short name that an entry has, or that it is a part of a long one.
    static func name(_ entry: ArraySlice<UInt8>) -> String {
        let bytes = Array(entry)
        guard bytes.count == 32 else { return "" }
        if bytes[11] == 0x0f { return "part of a long name" }
        let trimmed = [bytes[0..<8], bytes[8..<11]].map { part in
            BytePath.text(part.reversed().drop { $0 == 0x20 }.reversed())
        }
        return "'" + trimmed.filter { !$0.isEmpty }.joined(separator: ".") + "'"
    }
}
