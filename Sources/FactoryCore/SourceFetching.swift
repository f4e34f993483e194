import Engine
import Model
import Store
import SystemPackage
import Tooling
import Transfer

/// Brings what an installation or another image starts from into the store before the plan is made, and tells of it as of steps.
struct SourceFetching: Sendable {
    private let fetcher: SourceFetcher
    private let offline: Bool
    private let clock: WallClock
    private let events: EventLog?

    init(_ factory: Factory, _ opened: FolderStore, offline: Bool, events: EventLog?) {
        fetcher = SourceFetcher(
            folder: opened.root.appending("sources"), runner: factory.runner, locks: opened.sourceLocks,
            clock: factory.clock)
        self.offline = offline
        clock = factory.clock
        self.events = events
    }

    /// Throws the first failure. The results keep what they name in the store.
    func fetch(_ install: Netinstall) async throws -> [Source: FetchedSource] {
        var fetched: [Source: FetchedSource] = [:]
        // In the order of image-factory 1.0.2.
        for (name, source) in install.medium.sources where fetched[source] == nil {
            fetched[source] = try await fetch(source, name, install.checksums[source.location])
        }
        return fetched
    }

    /// Of an empty disk nothing.
    func fetch(_ base: ImageBase) async throws -> [Source: FetchedSource] {
        guard let input = base.input else { return [:] }
        return [input.source: try await fetch(input.source, "image", input.checksum)]
    }

    private func fetch(_ source: Source, _ name: String, _ checksum: Checksum?) async throws -> FetchedSource {
        let (step, start) = ("fetch-" + name, clock.now())
        send(.started(step: step, activity: "fetching \(source.shown)"))
        do {
            let events = events
            let found = try await fetcher.fetch(
                source, checksum: checksum, offline: offline,
                report: TransferReport(
                    progress: { done, total in
                        events?.send(.progress(step: step, done: done, total: total, unit: nil))
                    },
                    log: { events?.send(.log(step: step, line: $0)) },
                    warn: { events?.send(.warning(step: step, message: $0)) }))
            send(
                .finished(step: step, outcome: found.wasCached ? .reused : .succeeded, seconds: clock.now() - start))
            return found
        } catch {
            let outcome: BuildEvent.Outcome = error is CancellationError ? .cancelled : .failed
            send(.finished(step: step, outcome: outcome, seconds: clock.now() - start))
            throw (error as? FactoryError)?.during("fetching the \(name)") ?? error
        }
    }

    private func send(_ kind: BuildEvent.Kind) { events?.send(kind) }
}

extension Netinstall.Medium {
    /// With the names that messages have for them.
    var sources: [(name: String, source: Source)] {
        switch self {
        case .kernel(let kernel, let initrd): [("initrd", initrd), ("kernel", kernel)]
        case .image(let image): [("image", image)]
        }
    }
}

extension FolderStore {
    /// The store's locks as the module that fetches sources wants them.
    var sourceLocks: SourceLocks {
        let locks = root.appending("locks")
        return SourceLocks(
            wait: { name, waiting in
                let lock = try await FileLock.wait(locks.appending(name), waiting: waiting)
                return .init { withExtendedLifetime(lock) {} }
            },
            lease: { FileLock.attempt(existing: $0, shared: true) })
    }
}
