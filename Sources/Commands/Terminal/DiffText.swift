import Model

/// What differs between two images, for a person who asks why.
struct DiffText {
    private let report: DiffReport
    private let first: String
    private let second: String
    private let traits: TerminalTraits

    private static let mostPaths = 10

    init(_ report: DiffReport, _ first: String, _ second: String, traits: TerminalTraits) {
        self.report = report
        self.first = first
        self.second = second
        self.traits = traits
    }

    /// - Parameter isShort: only that they differ.
    func text(isShort: Bool) -> String {
        let all = report.isEqual ? (isShort ? [] : equal) : isShort ? [summary] : different
        return all.map { Printable.line($0, unicode: traits.unicode) + "\n" }.joined()
    }

    private var isArchive: Bool { report.first.format.hasPrefix("tar") }

    private var equal: [String] {
        if report.filesAreEqual { return ["\(first) and \(second) are the same"] }
        let why =
            report.first.format == report.second.format
            ? "only how they are stored differs" : "one is \(report.first.format), the other \(report.second.format)"
        return [
            "\(first) and \(second) have the same \(isArchive ? "members" : "disk")",
            "the files themselves differ: \(why) (\(report.first.fileSize) and \(report.second.fileSize))",
        ]
    }

    private var summary: String {
        let names = "\(first) and \(second) differ"
        if isArchive {
            let count = report.differingEntries
            return names + (count == 0 ? "" : ": \(count) of \(count + report.equalEntries) members")
        }
        let count = report.regionCount
        guard count > 0 else { return names }
        return names + ": \(Self.regions(count)), \(ByteCount(report.sectorCount * 512)) in all"
    }

    private static func regions(_ count: Int) -> String { count == 1 ? "1 region" : "\(count) regions" }

    private var different: [String] {
        var lines = [summary] + report.notes.map { "  " + $0 }
        for region in report.regions { lines += describe(region) }
        lines += further
        for entry in report.entries {
            lines.append("\(entry.path)" + only(entry.only))
            lines += entry.changes.map { "    " + change($0) }
            if let sample = entry.sample { lines += describe(sample, unit: "of the file") }
        }
        let rest = report.differingEntries - report.entries.count
        if rest > 0 { lines.append("and \(rest) further members; --regions \(report.differingEntries) tells all") }
        return lines
    }

    private func describe(_ region: DiffReport.Region) -> [String] {
        let sector = region.offset / 512
        var lines = [
            "byte \(region.offset) (sector \(sector)), \(ByteCount(region.length))",
            "  in \(region.place), from byte \(region.offsetInPlace) of it on",
        ]
        for part in region.parts {
            let paths = part.paths.prefix(3).joined(separator: ", ") + (part.paths.count > 3 ? ", …" : "")
            lines.append("  \(part.what)" + (paths.isEmpty ? "" : ": \(paths)") + only(part.only))
            lines += part.changes.map { "    " + change($0) }
        }
        switch region.moreParts {
        case nil: lines.append("  and more: the region is too large to tell all of it")
        case 0?: break
        case let count?: lines.append("  and \(count) more")
        }
        if let sample = region.sample { lines += describe(sample, unit: "of the disk") }
        return lines
    }

    /// What is not told in detail: how much of it is where, and which files it touches.
    private var further: [String] {
        let rest = report.regionCount - report.regions.count
        guard rest > 0 else { return [] }
        let isCut = report.regionsLookedAt < report.regionCount
        let files = isCut ? ", with files of the first \(report.regionsLookedAt)" : ""
        var lines = ["all \(Self.regions(report.regionCount))\(files):"]
        for place in report.places {
            lines.append("  \(place.place): \(Self.regions(place.regions)), \(ByteCount(place.sectors * 512))")
            lines += place.paths.prefix(Self.mostPaths).map { "    " + $0 }
            let more = place.paths.count - Self.mostPaths
            if more > 0 { lines.append("    and \(more) more files") }
        }
        return lines + ["--regions \(min(report.regionCount, 10_000)) tells more of them in detail"]
    }

    private func only(_ which: DiffReport.Which?) -> String {
        switch which {
        case nil: ""
        case .first: " (only in \(first))"
        case .second: " (only in \(second))"
        }
    }

    private func change(_ text: String) -> String {
        traits.unicode ? text : text.split(separator: "→", omittingEmptySubsequences: false).joined(separator: "->")
    }

    private func describe(_ sample: DiffReport.Sample, unit: String) -> [String] {
        ["  first differing byte \(sample.offset) \(unit):"]
            + [("<", sample.first), (">", sample.second)].map { mark, bytes in
                let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
                let letters = bytes.map { $0 > 0x1f && $0 < 0x7f ? String(Unicode.Scalar($0)) : "." }.joined()
                return "    \(mark) \(digits)  |\(letters)|"
            }
    }
}
