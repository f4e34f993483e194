import CVerify
import DiskFormats
import Filesystems
import Glibc
import Model
package import SystemPackage

/// What must be nowhere on the disk, and where it is nevertheless.
struct ScanMatch: Hashable {
    enum Subject: Hashable {
        case secret(name: String, form: String)
        case trace(String)
        case privateKey
        /// There were more matches than can be kept: what else is there is not known.
        case tooMany
    }

    var subject: Subject
    /// A byte of the disk.
    var offset: UInt64
    /// The file that has it, if one does.
    var path: BytePath?
    /// For people: the file, or what else is there, with the byte.
    var place: String
    var evidence: [UInt8]
}

/// The search of a whole disk, free space included, holes skipped.
struct DiskScan {
    private let image: Inspection
    private static let mostHits = 1 << 16

    init(_ image: Inspection) { self.image = image }

    func run() throws -> [ScanMatch] {
        let patterns = ScanPattern.all(image)
        let extents = image.data.map { UInt64($0.lowerBound)..<UInt64($0.upperBound) }
        let hits = try SecretSearch.run(
            patterns.map(\.bytes), in: image.file, extents: extents, most: Self.mostHits)
        var matches: [ScanMatch] = []
        var isFull = hits.count >= Self.mostHits
        for hit in hits where isReal(hit.offset, patterns[hit.pattern]) {
            guard matches.count < 1000 else {
                isFull = true
                break
            }
            let pattern = patterns[hit.pattern]
            matches.append(
                ScanMatch(
                    subject: pattern.subject, offset: hit.offset, place: "byte \(hit.offset)",
                    evidence: pattern.evidence
                ))
        }
        try name(&matches)
        if isFull {
            matches.append(ScanMatch(subject: .tooMany, offset: 0, place: "disk", evidence: []))
        }
        return matches
    }

    /// Looks at what stands around a hit, where its bytes alone do not tell.
    private func isReal(_ offset: UInt64, _ pattern: ScanPattern) -> Bool {
        switch pattern.subject {
        case .privateKey:
            let before = min(offset, 64)
            let around = (try? image.bytes.bytes(at: offset - before, count: 512).content) ?? []
            return PrivateKey.isKey(around, markAt: Int(before))
        case .trace:
            let before = min(offset, 1)
            let around = (try? image.bytes.bytes(at: offset - before, count: pattern.bytes.count + 2).content) ?? []
            let (first, last) = (before == 1 ? around.first : nil, around.last)
            return ![first, last].contains { $0.map(Self.isWordByte) ?? false }
        case .secret, .tooMany: return true
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Says of each match in which file it lies.
    private func name(_ matches: inout [ScanMatch]) throws {
        for (start, tree) in image.filesystems {
            let facts = tree.filesystem.facts
            let (length, overflow) = facts.blocks.multipliedReportingOverflow(by: facts.blockSize)
            guard !overflow, facts.blockSize > 0 else { continue }
            let inside = matches.indices.filter { matches[$0].offset >= start && matches[$0].offset - start < length }
            guard !inside.isEmpty else { continue }
            let blocks = inside.map { (matches[$0].offset - start) / facts.blockSize }
            let owners = (try? tree.filesystem.owners(of: blocks)) ?? [:]
            let free = (try? tree.filesystem.freeRanges()) ?? []
            let wanted = Set(owners.values)
            var paths: [UInt32: BytePath] = [:]
            for node in tree.nodes where wanted.contains(node.inode) && paths[node.inode] == nil {
                paths[node.inode] = node.path
            }
            for (at, block) in zip(inside, blocks) {
                let place = matches[at].offset - start
                if let path = owners[block].flatMap({ paths[$0] }) {
                    matches[at].path = path
                    matches[at].place = "\(path)"
                } else {
                    let isFree = free.contains { $0.contains(place) }
                    matches[at].place = "byte \(matches[at].offset)" + (isFree ? " (free space)" : " (no file)")
                }
            }
        }
    }
}

/// One string of bytes that is searched for, and what it means to find it.
struct ScanPattern {
    var subject: ScanMatch.Subject
    var bytes: [UInt8]
    /// What findings are known by: the secret whatever its form.
    var evidence: [UInt8]

    static func all(_ image: Inspection) -> [ScanPattern] {
        var patterns = [ScanPattern(subject: .privateKey, bytes: PrivateKey.mark, evidence: [])]
        for secret in image.facts.secrets {
            for (form, bytes) in SecretForms.all(secret.value) {
                patterns.append(
                    ScanPattern(
                        subject: .secret(name: secret.name, form: form), bytes: bytes, evidence: secret.value))
            }
        }
        let traces = image.traces
        if let name = traces.hostName, CommonWords.isTelling(name), name != image.policy.hostname {
            patterns.append(trace("the builder's host name", name))
        }
        if let home = traces.home, let user = home.split(separator: "/").last.map(String.init),
            home.utf8.count >= 8, !CommonWords.users.contains(user),
            !image.policy.users.contains(where: { $0.name == user })
        {
            patterns.append(trace("the builder's home folder", home))
        }
        for address in traces.addresses where address.utf8.count >= 8 {
            patterns.append(trace("a proxy or archive of the build", address))
        }
        return patterns
    }

    private static func trace(_ what: String, _ text: String) -> ScanPattern {
        ScanPattern(subject: .trace(what), bytes: Array(text.utf8), evidence: Array(text.utf8))
    }
}

/// Names that stand in images without meaning a builder.
enum CommonWords {
    static let users: Set<String> = ["user", "me", "debian", "ubuntu", "test", "admin", "builder", "build", "root"]

    /// Whether finding a host name says something: a short name or a word of a language is found everywhere.
    static func isTelling(_ name: String) -> Bool {
        name.utf8.count >= 8 && name.contains(where: \.isNumber)
            && !["debian", "ubuntu", "linux", "localhost", "trixie", "bookworm"].contains(where: name.hasPrefix)
    }
}

/// How a secret may be written.
package enum SecretForms {
    /// The shortest secret that can be searched for: a shorter one is found by chance.
    package static let shortest = 8

    /// As it is, in base64 wherever it begins in a longer text, and in UTF-16. Each has at least 8 bytes.
    static func all(_ secret: [UInt8]) -> [(form: String, bytes: [UInt8])] {
        guard secret.count >= shortest else { return [] }
        var forms: [(form: String, bytes: [UInt8])] = [("as it is", secret)]
        var seen: Set<[UInt8]> = []
        for (plus, slash) in [("+", "/"), ("-", "_")] {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(plus)\(slash)".utf8)
            for shift in 0..<3 {
                let bytes = base64(secret, shift: shift, alphabet)
                if seen.insert(bytes).inserted { forms.append(("in base64", bytes)) }
            }
        }
        let text = String(decoding: secret, as: UTF8.self)
        if Array(text.utf8) == secret {
            forms.append(("in UTF-16", text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }))
        }
        return forms
    }

    /// The texts in base64 that tell a secret, wherever it begins in a longer text.
    package static func base64Texts(_ secret: String) -> [String] {
        all(Array(secret.utf8)).filter { $0.form == "in base64" }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The characters that depend on the secret alone, with `shift` bytes of something else before it.
    private static func base64(_ secret: [UInt8], shift: Int, _ alphabet: [UInt8]) -> [UInt8] {
        let bytes = [UInt8](repeating: 0, count: shift) + secret
        let bits = bytes.count * 8
        return ((shift * 8 + 5) / 6..<bits / 6).map { character in
            var value = 0
            for bit in character * 6..<character * 6 + 6 {
                value = value << 1 | Int(bytes[bit / 8] >> UInt8(7 - bit % 8) & 1)
            }
            return alphabet[value]
        }
    }
}

/// Searches files for secrets.
package enum SecretSearch {
    /// The names of the secrets that a file has, whatever the form.
    package static func names(of secrets: [VerifyFacts.Secret], in path: FilePath) throws -> [String] {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            let forms = secrets.flatMap { secret in SecretForms.all(secret.value).map { (secret.name, $0.bytes) } }
            let size = UInt64(try file.seek(offset: 0, from: .end))
            let hits = try run(forms.map(\.1), in: file, extents: [0..<size], most: 1 << 16)
            return Set(hits.map { forms[$0.pattern].0 }).sorted()
        }
    }

    struct Hit: Hashable {
        var offset: UInt64
        var pattern: Int
    }

    /// The hits in order of their offsets, at most `most`. Blocks its thread.
    static func run(
        _ patterns: [[UInt8]], in file: FileDescriptor, extents: [Range<UInt64>], most: Int
    ) throws -> [Hit] {
        guard !patterns.isEmpty else { return [] }
        let all = patterns.flatMap(\.self)
        var hits = [cscan_hit](repeating: cscan_hit(), count: most)
        let extents = extents.map { cscan_extent(start: $0.lowerBound, end: $0.upperBound) }
        let threads = min(8, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let count = all.withUnsafeBufferPointer { bytes in
            var at = 0
            let list = patterns.map { pattern in
                defer { at += pattern.count }
                return cscan_pattern(bytes: bytes.baseAddress.map { $0 + at }, length: pattern.count)
            }
            return cscan_file(
                file.rawValue, extents, extents.count, list, list.count, Int32(threads), &hits, hits.count)
        }
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return hits.prefix(count).map { Hit(offset: $0.offset, pattern: $0.pattern) }
            .sorted { ($0.offset, $0.pattern) < ($1.offset, $1.pattern) }
    }
}
