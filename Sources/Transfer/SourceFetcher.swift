import Glibc
package import Model
package import SystemPackage
package import Tooling

/// Brings what definitions name by address into the store, and says which bytes it is.
///
/// Bytes that are pinned by digest and in the store need no request. Others are asked for on condition that they have
/// changed. A wrong checksum leaves nothing in the store.
package struct SourceFetcher: Sendable {
    let shelf: SourceShelf
    let runner: any CommandRunning
    let locks: SourceLocks
    let clock: WallClock
    package var limits: TransferLimits

    /// - Parameter folder: of the store, for sources alone.
    package init(
        folder: FilePath, runner: any CommandRunning, locks: SourceLocks, clock: WallClock,
        limits: TransferLimits = TransferLimits()
    ) {
        shelf = SourceShelf(folder: folder)
        self.runner = runner
        self.locks = locks
        self.clock = clock
        self.limits = limits
    }

    /// The bytes of a source.
    ///
    /// - Parameters:
    ///   - checksum: what they have to be, beside the digest that the source has.
    ///   - offline: no request is made; what is not in the store is an error. Files of the host are read all the same.
    package func fetch(
        _ source: Source, checksum: Checksum? = nil, offline: Bool = false, report: TransferReport = TransferReport()
    ) async throws -> FetchedSource {
        try shelf.open()
        let values = try await expected(of: source, checksum, offline: offline, report)
        for value in values where value.algorithm.isBroken {
            report.warn(
                "the checksum of \(source.shown) is an \(value.algorithm.title), which anybody can forge; give a SHA-256"
            )
        }
        let pin = values.lazy.compactMap(\.digest).first
        if let pin, let found = try await kept(pin, values, of: source) { return found }
        let key = SourceShelf.key(source)
        let lock = try await locks.wait("source-" + key) {
            report.log("waiting for another build that fetches \(source.shown)")
        }
        defer { lock.release() }
        // Another may have brought it meanwhile.
        if let pin, let found = try await kept(pin, values, of: source) { return found }
        let record = try shelf.record(key)
        if let record, let found = try await keptByRecord(record, source, values, offline: offline) { return found }
        guard !offline || source.scheme == .file else {
            throw FactoryError(
                .missingInput, "\(source.shown) is not in the store, and this build is offline",
                remedy: "run once without --offline")
        }
        return try await bring(source, key, record, values, report)
    }

    /// All that is known of the bytes beforehand.
    private func expected(
        of source: Source, _ checksum: Checksum?, offline: Bool, _ report: TransferReport
    ) async throws -> [Checksum.Value] {
        var values = source.digest.map { [Checksum.Value($0)] } ?? []
        switch checksum {
        case nil: break
        case .value(let value): values.append(value)
        case .listed(let list):
            values.append(try await ListedChecksum(fetcher: self, list: list).value(for: source, offline, report))
        }
        return values
    }

    /// Bytes of the store that are what is expected.
    private func kept(
        _ digest: Digest, _ values: [Checksum.Value], of source: Source
    ) async throws -> FetchedSource? {
        let path = shelf.path(of: digest)
        let lease = locks.lease(path)
        guard let content = try await shelf.has(digest, values: values) else { return nil }
        try content.check(values, of: source.shown)
        return FetchedSource(
            digest: digest, size: ByteCount(content.size), path: path, wasCached: true, revalidated: false,
            lease: lease)
    }

    /// What the source last was, where that is enough: offline, or if a checksum says that it is what is expected.
    private func keptByRecord(
        _ record: SourceRecord, _ source: Source, _ values: [Checksum.Value], offline: Bool
    ) async throws -> FetchedSource? {
        if offline, source.scheme != .file { return try await kept(record.digest, values, of: source) }
        guard values.contains(where: { $0.first == nil }) else { return nil }
        do {
            return try await kept(record.digest, values, of: source)
        } catch is FactoryError {
            // The source has become another one, or is expected to be.
            return nil
        }
    }

    private func bring(
        _ source: Source, _ key: String, _ record: SourceRecord?, _ values: [Checksum.Value],
        _ report: TransferReport
    ) async throws -> FetchedSource {
        let folder = shelf.partial(key)
        try LocalFile.makeFolder(folder)
        let known = record.flatMap { LocalFile.size(shelf.path(of: $0.digest)) == nil ? nil : $0 }
        var arrival = try await arrive(source, folder, known?.validator, report)
        if case .unchanged = arrival, let known {
            if var found = try await kept(known.digest, values, of: source) {
                found.revalidated = source.scheme != .file
                try remember(source, key, found, known.validator)
                removeFolder(folder)
                return found
            }
            // Damaged, and removed by now.
            arrival = try await arrive(source, folder, nil, report)
        }
        guard case .file(let body, let validator, let wasResumed) = arrival else {
            throw FactoryError(
                .unavailable, "\(source.shown) was said to be unchanged, but nobody asked that",
                remedy: "check the server")
        }
        do {
            let found = try await keep(body, source, values)
            try remember(source, key, found, validator)
            removeFolder(folder)
            return found
        } catch let error as FactoryError where error.code == .failed {
            removeFolder(folder)
            guard wasResumed else { throw error }
            // The pieces may be of different files, which the server did not tell.
            report.log("\(error.message); it came in pieces, so it is fetched anew")
            return try await bring(source, key, nil, values, report)
        }
    }

    private enum Arrival: Sendable {
        case unchanged
        case file(FilePath, HTTPValidator, wasResumed: Bool)
    }

    /// A transfer that brought nothing leaves nothing to go on with.
    private func arrive(
        _ source: Source, _ folder: FilePath, _ known: HTTPValidator?, _ report: TransferReport
    ) async throws -> Arrival {
        do {
            return try await transfer(source, folder, known, report)
        } catch {
            if LocalFile.size(folder.appending("out/body")) ?? 0 == 0 { removeFolder(folder) }
            throw error
        }
    }

    private func transfer(
        _ source: Source, _ folder: FilePath, _ known: HTTPValidator?, _ report: TransferReport
    ) async throws -> Arrival {
        switch source.scheme {
        case .http, .https:
            let transfer = HTTPTransfer(
                source: source, runner: runner, limits: limits, folder: folder, report: report)
            switch try await transfer.run(known: known) {
            case .notModified: return .unchanged
            case .complete(let validator, let wasResumed):
                return .file(transfer.body, validator, wasResumed: wasResumed)
            }
        case .rsync:
            let transfer = RsyncTransfer(
                source: source, runner: runner, limits: limits, folder: folder, report: report)
            guard let stamp = try await transfer.run(known: known?.entityTag) else { return .unchanged }
            return .file(transfer.body, HTTPValidator(entityTag: stamp), wasResumed: false)
        case .file:
            let copy = FileCopy(source: source, limits: limits, folder: folder, report: report)
            guard let stamp = try await copy.run(known: known?.entityTag) else { return .unchanged }
            return .file(copy.body, HTTPValidator(entityTag: stamp), wasResumed: false)
        }
    }

    private func keep(
        _ body: FilePath, _ source: Source, _ values: [Checksum.Value]
    ) async throws -> FetchedSource {
        // From here on nobody else can write to it.
        if geteuid() == 0, lchown(body.string, 0, 0) != 0 {
            throw FileFailure.error(Errno(rawValue: errno), "keep", body)
        }
        let content = try await Content.read(body, values: values)
        try content.check(values, of: source.shown)
        let lease = locks.lease(body)
        let path = shelf.path(of: content.digest)
        try LocalFile.keep(body, as: path)
        return FetchedSource(
            digest: content.digest, size: ByteCount(content.size), path: path, wasCached: false, revalidated: false,
            lease: lease)
    }

    private func remember(
        _ source: Source, _ key: String, _ found: FetchedSource, _ validator: HTTPValidator
    ) throws {
        try shelf.write(
            SourceRecord(
                location: source.shown, digest: found.digest, size: found.size.bytes, validator: validator,
                asked: clock.now()), key)
    }

    /// The folder of a transfer that is over.
    private func removeFolder(_ folder: FilePath) {
        for name in ["out/body", "out/head"] { _ = unlink("\(folder)/\(name)") }
        _ = rmdir(folder.appending("out").string)
        for name in ["state.json", "request", "record.new", "stamp"] { _ = unlink(folder.appending(name).string) }
        _ = rmdir(folder.string)
    }
}
