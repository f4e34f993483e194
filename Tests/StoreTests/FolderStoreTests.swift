import Engine
import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct FolderStoreTests {
    @Test func `A result is there whole or not at all`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            try Scratch.write("hello", pending.output.appending("out.txt"))
            try Scratch.write("scratch", pending.scratch.appending("s"))
            try Scratch.write("said\n", pending.log)
            #expect(try store.lookup(step.id) == nil)
            #expect(store.names("results").isEmpty)
            let result = try await pending.commit(Steps.record(step))
            #expect(try store.lookup(step.id)?.folder == result.folder)
            #expect(try store.lookup(step.id)?.record.seconds == 2)
            #expect(Scratch.names(result.folder) == ["log", "out.txt", "record.json"])
            #expect(try Scratch.read(result.folder.appending("log")) == "said\n")
        }
    }

    @Test func `The files of a result are read-only`() async throws {
        try await FolderStore.with { store in
            let result = try await store.make(Steps.step())
            #expect(Steps.mode(result.folder.appending("out.txt")) == 0o444)
        }
    }

    @Test func `A commit leaves nothing else behind`() async throws {
        try await FolderStore.with { store in
            try await store.make(Steps.step())
            #expect(store.names("work").isEmpty)
            #expect(store.names("locks").isEmpty)
            #expect(store.names("logs").isEmpty)
        }
    }

    @Test func `A discarded result leaves its log and nothing else`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            try Scratch.write("hello", pending.output.appending("out.txt"))
            try Scratch.write("said\n", pending.log)
            await pending.discard()
            #expect(try store.lookup(step.id) == nil)
            #expect(store.names("work").isEmpty)
            #expect(store.names("locks").isEmpty)
            #expect(store.names("results").isEmpty)
            #expect(try Scratch.read(pending.log) == "said\n")
        }
    }

    @Test func `A commit that fails leaves the log and no result`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            try Scratch.write("said\n", pending.log)
            // A folder under the name of the record: it cannot be written.
            mkdir(pending.output.appending("record.json").string, 0o755)
            try Scratch.write("x", pending.output.appending("record.json").appending("x"))
            await #expect(throws: FactoryError.self) { try await pending.commit(Steps.record(step)) }
            await pending.discard()
            #expect(try store.lookup(step.id) == nil)
            #expect(store.names("work").isEmpty)
            #expect(try Scratch.read(pending.log) == "said\n")
        }
    }

    @Test func `Of two that make one result the second waits and finds it`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            let waiting = AsyncStream<Void>.makeStream()
            // Another store on the same folder, as another process has it.
            let other = try FolderStore.open(store.root)
            async let second = other.begin(step) { waiting.continuation.finish() }
            for await _ in waiting.stream {}
            _ = try await pending.commit(Steps.record(step))
            guard case .found(let result) = try await second else {
                Issue.record("it was made twice")
                return
            }
            #expect(result.record.id == step.id)
            #expect(store.names("locks").isEmpty)
        }
    }

    @Test func `Where the first gives up the second makes the result`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            let waiting = AsyncStream<Void>.makeStream()
            async let second = store.begin(step) { waiting.continuation.finish() }
            for await _ in waiting.stream {}
            await pending.discard()
            guard case .mine(let mine) = try await second else {
                Issue.record("there is a result")
                return
            }
            await mine.discard()
        }
    }

    @Test func `One that waits can be cancelled`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let pending = try await store.beginNew(step)
            let waiting = AsyncStream<Void>.makeStream()
            let second = Task { try await store.begin(step) { waiting.continuation.finish() } }
            for await _ in waiting.stream {}
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            await pending.discard()
        }
    }

    @Test func `Many that make one result make it once`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let made = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        guard case .mine(let pending) = try await store.begin(step, waiting: {}) else { return 0 }
                        _ = try await pending.commit(Steps.record(step))
                        return 1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(made == 1)
            #expect(store.names("locks").isEmpty)
        }
    }

    @Test func `A result whose record is damaged is made again`() async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            let result = try await store.make(step)
            let record = result.folder.appending("record.json")
            chmod(record.string, 0o644)
            try Scratch.write("{", record)
            #expect(try store.lookup(step.id) == nil)
            try await store.make(step)
            #expect(try store.lookup(step.id) != nil)
        }
    }
}
