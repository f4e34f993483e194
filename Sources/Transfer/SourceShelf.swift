import FoundationEssentials
import Glibc
import Model
import SystemPackage

/// What is kept of sources, in one folder of the store:
///
///     DIGEST             the bytes, read-only, complete when visible
///     index/KEY.json     what the source with that key last was
///     partial/KEY/       a transfer under way, or one that was interrupted
struct SourceShelf: Sendable {
    let folder: FilePath

    /// Makes the folders.
    func open() throws {
        for path in [folder, folder.appending("index"), folder.appending("partial")] {
            try LocalFile.makeFolder(path)
        }
    }

    /// A name for all that is known of a source. The location itself is written nowhere, since it may hold a password.
    static func key(_ source: Source) -> String {
        Digest(of: Array("\(source.scheme.rawValue) \(source.location)".utf8)).hex
    }

    func path(of digest: Digest) -> FilePath { folder.appending(digest.hex) }

    func partial(_ key: String) -> FilePath { folder.appending("partial").appending(key) }

    func record(_ key: String) throws -> SourceRecord? {
        guard let bytes = try LocalFile.read(recordPath(key), limit: 1 << 16) else { return nil }
        return try? Canonical.decode(SourceRecord.self, from: bytes)
    }

    /// Written in the source's own folder below `partial`, whose lock the caller holds, then renamed.
    func write(_ record: SourceRecord, _ key: String) throws {
        let new = partial(key).appending("record.new")
        try LocalFile.write(Array(try Canonical.text(record).utf8), new, sync: true)
        guard rename(new.string, recordPath(key).string) == 0 else {
            throw FileFailure.error(Errno(rawValue: errno), "write", recordPath(key))
        }
    }

    private func recordPath(_ key: String) -> FilePath { folder.appending("index").appending(key + ".json") }

    /// Whether the bytes are there and what their name says; damaged ones are removed.
    func has(_ digest: Digest, values: [Checksum.Value]) async throws -> Content? {
        let path = path(of: digest)
        guard LocalFile.size(path) != nil else { return nil }
        let content = try await Content.read(path, values: values)
        guard content.digest == digest else {
            _ = unlink(path.string)
            return nil
        }
        // The time of last use decides what prune removes.
        _ = utimensat(AT_FDCWD, path.string, nil, 0)
        return content
    }
}

/// What a source was when it was last asked for.
struct SourceRecord: Codable, Hashable, Sendable {
    /// As it is shown: without what may be secret.
    var location: String
    var digest: Digest
    var size: UInt64
    var validator: HTTPValidator
    /// Seconds since 1970, when that was.
    var asked: Double
}
