import Crypto
import Filesystems
package import Model
package import SystemPackage

/// Compares two tar files member by member, whatever they are compressed with.
package struct TarDiff {
    /// One of the two files.
    package struct Input {
        var file: FileDescriptor
        var isZstd: Bool

        package init(_ file: FileDescriptor, isZstd: Bool) {
            self.file = file
            self.isZstd = isZstd
        }

        func reader() throws -> TarReader { TarReader(try TarSource(file, isZstd: isZstd)) }
    }

    /// What is kept of a member.
    private struct Record {
        var member: TarMember
        var content: [UInt8]
    }

    /// A name, and which of several members of that name it is.
    private struct Key: Hashable {
        var path: BytePath
        var number: Int
    }

    private static let mostMembers = 2_000_000

    private let first: Input
    private let second: Input

    package init(_ first: Input, _ second: Input) {
        self.first = first
        self.second = second
    }

    /// Adds to a report what differs. Throws `TarError` if a file cannot be read as an archive.
    ///
    /// - Parameter limit: the members that are told in detail.
    package func run(limit: Int, into report: inout DiffReport, check: () throws -> Void = {}) throws {
        let (mine, size) = try read(first, "first", check)
        let (theirs, otherSize) = try read(second, "second", check)
        report.first.size = ByteCount(size)
        report.second.size = ByteCount(otherSize)
        let others = Dictionary(theirs.map { ($0.key, $0.record) }) { one, _ in one }
        let keys = Set(mine.map(\.key))
        for (key, record) in mine {
            let changes = others[key].map { Self.changes(record, $0) }
            if let changes, changes.isEmpty {
                report.equalEntries += 1
            } else {
                add(
                    .init(path: "\(key.path)", changes: changes ?? [], only: changes == nil ? .first : nil), limit,
                    &report)
            }
        }
        for (key, _) in theirs where !keys.contains(key) {
            add(.init(path: "\(key.path)", only: .second), limit, &report)
        }
        if report.differingEntries == 0, mine.map(\.key) != theirs.map(\.key) {
            let place = zip(mine, theirs).first { $0.0.key != $0.1.key }
            report.notes.append(
                "the members are the same in another order" + (place.map { ", from \($0.0.key.path) on" } ?? ""))
        }
        report.isEqual = report.differingEntries == 0 && report.notes.isEmpty
        if let at = report.entries.firstIndex(where: { $0.changes.contains("content") }) {
            report.entries[at].sample = try sample(of: report.entries[at].path)
        }
    }

    private func add(_ entry: DiffReport.Entry, _ limit: Int, _ report: inout DiffReport) {
        report.differingEntries += 1
        if report.entries.count < limit { report.entries.append(entry) }
    }

    private func read(
        _ input: Input, _ name: String, _ check: () throws -> Void
    ) throws -> (members: [(key: Key, record: Record)], size: UInt64) {
        var reader = try input.reader()
        var counts: [BytePath: Int] = [:]
        var found: [(key: Key, record: Record)] = []
        do {
            while let member = try reader.next() {
                try check()
                guard found.count < Self.mostMembers else { throw TarError(reason: "it has too many members") }
                var hash = SHA256()
                try reader.content(of: member) { part in
                    part.withUnsafeBytes { hash.update(bufferPointer: $0) }
                }
                let number = counts[member.path, default: 0]
                counts[member.path] = number + 1
                found.append(
                    (Key(path: member.path, number: number), .init(member: member, content: Array(hash.finalize()))))
            }
        } catch let error as TarError {
            throw TarError(reason: "the \(name) archive cannot be read: \(error.reason)")
        }
        return (found, reader.source.position)
    }

    private static func changes(_ one: Record, _ other: Record) -> [String] {
        let (mine, theirs) = (one.member, other.member)
        var changes: [String] = []
        func compare<Value: Equatable>(_ name: String, _ before: Value, _ after: Value, _ text: (Value) -> String) {
            if before != after { changes.append("\(name): \(text(before)) → \(text(after))") }
        }
        let bytes = { (value: [UInt8]) in "'" + BytePath.text(value) + "'" }
        compare("type", mine.type, theirs.type, kind)
        compare("mode", mine.mode, theirs.mode) { "0" + String($0, radix: 8) }
        compare("owner", [mine.user, mine.group], [theirs.user, theirs.group]) { "\($0[0]):\($0[1])" }
        compare("owner's name", mine.userName, theirs.userName, bytes)
        compare("group's name", mine.groupName, theirs.groupName, bytes)
        compare("size", mine.size, theirs.size) { "\($0)" }
        compare("mtime", mine.modified, theirs.modified, time)
        compare("link", mine.link, theirs.link, bytes)
        compare("device", mine.device, theirs.device) { $0.map { "\($0)" }.joined(separator: ":") }
        for key in Set(mine.records.keys).union(theirs.records.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let name = "record " + BytePath.text(key.prefix(100))
            compare(name, mine.records[key], theirs.records[key]) { value in
                value.map { "'" + BytePath.text($0.prefix(40)) + ($0.count > 40 ? "…'" : "'") } ?? "none"
            }
        }
        if one.content != other.content { changes.append("content") }
        return changes
    }

    private static func kind(_ type: UInt8) -> String {
        switch type {
        case UInt8(ascii: "0"): "file"
        case UInt8(ascii: "1"): "hard link"
        case UInt8(ascii: "2"): "link"
        case UInt8(ascii: "3"): "character device"
        case UInt8(ascii: "4"): "block device"
        case UInt8(ascii: "5"): "folder"
        case UInt8(ascii: "6"): "pipe"
        default: "type '\(BytePath.text([type]))'"
        }
    }

    private static func time(_ value: [UInt8]) -> String {
        let text = String(decoding: value.prefix(40), as: UTF8.self)
        return Int64(text).map { CalendarTime.text($0) } ?? BytePath.text(value.prefix(40))
    }

    /// The first bytes that differ in the contents of the first member of a path.
    private func sample(of path: String) throws -> DiffReport.Sample? {
        guard let one = try content(of: path, in: first), let other = try content(of: path, in: second) else {
            return nil
        }
        let at = zip(one, other).prefix { $0 == $1 }.count
        return .init(offset: UInt64(at), first: Array(one[at...].prefix(16)), second: Array(other[at...].prefix(16)))
    }

    /// The beginning of a member's content: 64 MiB at most.
    private func content(of path: String, in input: Input) throws -> [UInt8]? {
        var reader = try input.reader()
        while let member = try reader.next() {
            let isIt = "\(member.path)" == path
            var bytes: [UInt8] = []
            try reader.content(of: member) { if isIt, bytes.count < 64 << 20 { bytes += $0 } }
            if isIt { return bytes }
        }
        return nil
    }
}
