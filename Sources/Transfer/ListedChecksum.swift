import Model
import SystemPackage

/// Finds the checksum of a source in a list, whose signature is checked first if it has to have one.
struct ListedChecksum {
    /// More is no list.
    private static let limit = ByteCount.mebi(16)

    let fetcher: SourceFetcher
    let list: Checksum.List

    func value(for source: Source, _ offline: Bool, _ report: TransferReport) async throws -> Checksum.Value {
        var fetcher = fetcher
        fetcher.limits.size = Self.limit
        let quiet = TransferReport(log: report.log, warn: report.warn)
        let file = try await fetcher.fetch(list.source, offline: offline, report: quiet)
        let content: [UInt8]
        if let signature = list.signature {
            let check = SignatureCheck(runner: fetcher.runner, keyring: signature.keyring)
            var detached: FetchedSource?
            if let place = signature.detached {
                detached = try await fetcher.fetch(place, offline: offline, report: quiet)
            }
            content = try await check.signedContent(
                of: file.path, detached: detached?.path, shown: list.source.shown,
                scratch: fetcher.shelf.folder.appending("partial"))
        } else {
            content = try LocalFile.read(file.path, limit: Int(Self.limit.bytes)) ?? []
        }
        let entries = ChecksumEntry.entries(of: content, algorithm: list.algorithm)
        guard let value = ChecksumEntry.value(in: entries, for: list.name ?? source.path, isName: list.name != nil)
        else {
            throw FactoryError(
                .missingInput,
                "\(list.source.shown) has no checksum of \(list.name ?? source.shown)",
                remedy: "check the list's address, or give the name by which it calls the file")
        }
        return value
    }
}

/// A line of a list of checksums.
struct ChecksumEntry: Hashable, Sendable {
    var name: String
    var value: Checksum.Value

    /// The lines of coreutils, `DIGITS  NAME` and `DIGITS *NAME`, and those of BSD, `SHA256 (NAME) = DIGITS`. Other
    /// lines say nothing.
    static func entries(of bytes: [UInt8], algorithm: HashAlgorithm?) -> [ChecksumEntry] {
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
            tagged(line) ?? plain(line, algorithm)
        }
    }

    private static func plain(_ line: Substring, _ algorithm: HashAlgorithm?) -> ChecksumEntry? {
        let digits = line.prefix { $0.isHexDigit && $0.isASCII }
        let rest = line.dropFirst(digits.count)
        guard rest.first == " " || rest.first == "\t" else { return nil }
        var name = rest.drop { $0 == " " || $0 == "\t" }
        if name.first == "*" { name = name.dropFirst() }
        while name.last == " " || name.last == "\t" { name = name.dropLast() }
        guard !name.isEmpty, let algorithm = algorithm ?? HashAlgorithm(digits: digits.count),
            let value = Checksum.Value(algorithm, String(digits))
        else { return nil }
        return ChecksumEntry(name: String(name), value: value)
    }

    private static func tagged(_ line: Substring) -> ChecksumEntry? {
        guard let open = line.firstRange(of: " ("), let close = line.ranges(of: ") = ").last,
            open.upperBound <= close.lowerBound, let algorithm = HashAlgorithm(named: String(line[..<open.lowerBound]))
        else { return nil }
        let digits = line[close.upperBound...].prefix { $0.isHexDigit }
        guard let value = Checksum.Value(algorithm, String(digits)) else { return nil }
        return ChecksumEntry(name: String(line[open.upperBound..<close.lowerBound]), value: value)
    }

    /// - Parameter isName: the text is what the list calls the file; else it is a path, of which the list's name is the
    ///   end. Of several the longest counts, then the longest value.
    static func value(in entries: [ChecksumEntry], for text: String, isName: Bool) -> Checksum.Value? {
        let wanted = bare(text)
        let matching = entries.filter { entry in
            let name = bare(entry.name)
            return name == wanted || !isName && wanted.hasSuffix("/" + name)
        }
        return matching.max { left, right in
            (bare(left.name).utf8.count, left.value.digits.utf8.count)
                < (bare(right.name).utf8.count, right.value.digits.utf8.count)
        }?.value
    }

    private static func bare(_ name: String) -> String { name.hasPrefix("./") ? String(name.dropFirst(2)) : name }
}
