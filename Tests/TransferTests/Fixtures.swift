import Glibc
import Model
import Store
import Synchronization
import SystemPackage
import TestSupport
import Tooling

@testable import Transfer

/// A store's folder of sources for one test.
struct Sources: Sendable {
    let root: FilePath
    let notes = Notes()

    static func with(_ body: (Sources) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            // Contained processes are another user where root runs the tests.
            chmod(scratch.path.string, 0o755)
            try await body(Sources(root: scratch.path))
        }
    }

    var folder: FilePath { root.appending("sources") }

    /// In no hurry to give up, but with short pauses.
    static let limits = TransferLimits(
        connecting: .seconds(5), stall: .seconds(1), attempts: 4, pause: .milliseconds(20))

    func fetcher(_ limits: TransferLimits = Sources.limits) -> SourceFetcher {
        let root = root
        return SourceFetcher(
            folder: folder, runner: CommandRunner(helper: builtExecutable(), proxies: [:]),
            locks: SourceLocks(
                wait: { name, waiting in
                    let path = root.appending(name)
                    let lock = try await FileLock.wait(path, waiting: waiting)
                    return SourceLocks.Held { withExtendedLifetime(lock) { _ = unlink(path.string) } }
                },
                lease: { FileLock.attempt(existing: $0, shared: true) }),
            clock: WallClock { 1000 }, limits: limits)
    }

    var report: TransferReport {
        let notes = notes
        return TransferReport(
            progress: { received, total in notes.progress.withLock { $0.append((received, total)) } },
            log: { line in notes.lines.withLock { $0.append(line) } },
            warn: { line in notes.lines.withLock { $0.append("warning: " + line) } })
    }

    func fetch(
        _ source: Source, _ checksum: Checksum? = nil, offline: Bool = false, limits: TransferLimits = Sources.limits
    ) async throws -> FetchedSource {
        try await fetcher(limits).fetch(source, checksum: checksum, offline: offline, report: report)
    }

    /// The error that fetching ends with.
    func failure(
        _ source: Source, _ checksum: Checksum? = nil, offline: Bool = false, limits: TransferLimits = Sources.limits
    ) async throws -> FactoryError {
        do {
            _ = try await fetch(source, checksum, offline: offline, limits: limits)
        } catch let error as FactoryError {
            return error
        }
        throw FactoryError(.internal, "\(source.location) was fetched")
    }

    /// Names of what is kept, without the folders for records and what is under way.
    var kept: [String] { Scratch.names(folder).filter { $0 != "index" && $0 != "partial" } }
    var partial: [String] { Scratch.names(folder.appending("partial")) }
    var index: [String] { Scratch.names(folder.appending("index")) }

    /// What a transfer told.
    final class Notes: Sendable {
        let progress = Mutex<[(UInt64, UInt64?)]>([])
        let lines = Mutex<[String]>([])
    }

    var lines: [String] { notes.lines.withLock { $0 } }
}

extension FetchedSource {
    var bytes: [UInt8] { get throws { try RepositoryFiles.bytes(path) } }
}

extension Checksum {
    /// Of the text of a test.
    static func text(_ text: String) throws -> Checksum {
        guard let value = Value(parsing: text) else { throw FactoryError(.internal, "\(text) is no checksum") }
        return .value(value)
    }
}
