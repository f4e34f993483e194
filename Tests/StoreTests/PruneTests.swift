import Engine
import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct PruneTests {
    /// Four results, last used at 100, 200, 300 and 400.
    private func fill(_ store: FolderStore) async throws -> [StepResult] {
        var results: [StepResult] = []
        for at in 1...4 {
            let result = try await store.make(Steps.step("s\(at)"), size: 100_000)
            Steps.age(result, to: at * 100)
            // Without its lease, as if the build that made it had ended.
            results.append(StepResult(folder: result.folder, record: result.record))
        }
        return results
    }

    private func left(_ results: [StepResult]) -> [Int] {
        results.indices.filter { !Scratch.names(results[$0].folder).isEmpty }
    }

    @Test func `What was not used for long is removed`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            let outcome = await store.prune(size: nil, age: 150, now: 400)
            #expect(left(results) == [2, 3])
            #expect(outcome.removed.map(\.path) == results[..<2].map(\.folder))
        }
    }

    @Test func `The longest unused is removed until what is left is small enough`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            let outcome = await store.prune(size: ByteCount(250_000), age: nil, now: 400)
            #expect(left(results) == [2, 3])
            #expect(outcome.left <= ByteCount(250_000) && outcome.left >= ByteCount(200_000))
        }
    }

    @Test func `A lookup is a use`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            _ = try store.lookup(results[0].record.id)
            _ = await store.prune(size: ByteCount(250_000), age: nil, now: 400)
            #expect(left(results) == [0, 3])
        }
    }

    @Test func `What somebody is making is left alone`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            let lock = try FileLock.attempt(store.root.appending("locks").appending(results[0].record.id.hex))
            _ = await store.prune(size: ByteCount(0), age: nil, now: 400)
            #expect(left(results) == [0])
            _ = lock
        }
    }

    @Test func `What a running build uses is left alone until it ends`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            var used = try store.lookup(results[1].record.id)
            _ = await store.prune(size: ByteCount(0), age: nil, now: 400)
            #expect(left(results) == [1])
            #expect(used?.lease != nil)
            used = nil
            _ = await store.prune(size: ByteCount(0), age: nil, now: 400)
            #expect(left(results) == [])
        }
    }

    @Test(arguments: [("packages", ""), ("releases", "used")])
    func `Packages and package lists that a build uses are left alone`(kind: String, leased: String) async throws {
        try await FolderStore.with { store in
            for name in ["used", "unused"] { try Folder.make(store.root.appending(kind).appending(name)) }
            let lease = try await store.use(kind, leased)
            #expect(lease != nil)
            _ = await store.prune(size: ByteCount(0), age: nil, now: 4e9)
            #expect(store.names(kind) == (leased.isEmpty ? ["unused", "used"] : ["used"]))
            withExtendedLifetime(lease) {}
        }
    }

    @Test func `What is being removed is not leased, and what another lease holds is`() async throws {
        try await FolderStore.with { store in
            let (folder, hidden) = (store.root.appending("releases/a"), store.root.appending("releases/.a"))
            try Folder.make(folder)
            var leases = [try await store.use("releases", "a"), try await store.use("releases", "a")]
            #expect(leases.allSatisfy { $0 != nil })
            leases = []
            var removing = FileLock.attempt(existing: folder, shared: false)
            #expect(removing != nil)
            let waiting = Task { try await store.use("releases", "a") }
            try await Task.sleep(for: .milliseconds(150))
            #expect(rename(folder.string, hidden.string) == 0)
            removing = nil
            await #expect(throws: FactoryError.self) { try await waiting.value }
        }
    }

    @Test func `Nothing asked, nothing removed`() async throws {
        try await FolderStore.with { store in
            let results = try await fill(store)
            let outcome = await store.prune(size: nil, age: nil, now: 1e9)
            #expect(left(results) == [0, 1, 2, 3])
            #expect(outcome.removed.isEmpty)
        }
    }

    @Test func `Packages and old logs are pruned too`() async throws {
        try await FolderStore.with { store in
            try Scratch.write("x", store.root.appending("logs").appending("bootstrap-1.log"))
            _ = await store.prune(size: nil, age: 1, now: 1e12)
            #expect(store.names("logs").isEmpty)
        }
    }
}
