import Engine
import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct ReapTests {
    @Test func `What a killed build left is removed, what a live one makes stays`() async throws {
        try await FolderStore.with { store in
            let live = try await store.beginNew(Steps.step())
            let dead = store.root.appending("work").appending("dead")
            for path in [dead, dead.appending("out"), dead.appending("out").appending("deep")] {
                mkdir(path.string, 0o755)
            }
            try Scratch.write("", dead.appending("lock"))
            try Scratch.write("x", dead.appending("out").appending("deep").appending("file"))
            let half = store.root.appending("work").appending("half")
            mkdir(half.string, 0o755)
            await store.reap()
            #expect(Scratch.names(store.root.appending("work")).count == 1)
            #expect(Steps.mode(live.output) != nil)
            await live.discard()
        }
    }

    @Test func `The lock files of killed builds are removed, those of live ones stay`() async throws {
        try await FolderStore.with { store in
            let live = try await store.beginNew(Steps.step())
            try Scratch.write("", store.root.appending("locks").appending("dead"))
            let held = Scratch.names(store.root.appending("locks")).filter { $0 != "dead" }
            await store.reap()
            #expect(Scratch.names(store.root.appending("locks")) == held)
            #expect(held.count == 1)
            await live.discard()
        }
    }

    @Test func `A lock ends with its holder`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("lock")
            var lock = try FileLock.attempt(path)
            #expect(lock != nil)
            #expect(try FileLock.attempt(path) == nil)
            lock = nil
            #expect(try FileLock.attempt(path) != nil)
        }
    }

    @Test func `A lock is not taken on a file that was removed meanwhile`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("lock")
            let first = try FileLock.attempt(path)
            unlink(path.string)
            let second = try FileLock.attempt(path)
            #expect(first != nil && second != nil)
            #expect(try FileLock.attempt(path) == nil)
        }
    }

    @Test func `Results that prune was removing are removed`() async throws {
        try await FolderStore.with { store in
            let result = try await store.make(Steps.step())
            let hidden = result.folder.removingLastComponent().appending(".x")
            rename(result.folder.string, hidden.string)
            await store.reap()
            #expect(Scratch.names(hidden.removingLastComponent()).isEmpty)
        }
    }

    @Test func `A builder whose new folder is reaped under it starts again`() async throws {
        try await FolderStore.with { store in
            let reaper = Task { while !Task.isCancelled { await store.reap() } }
            for name in 0..<60 {
                let pending = try await store.beginNew(Steps.step("s\(name)"))
                try Scratch.write("x", pending.output.appending("x"))
                await pending.discard()
            }
            reaper.cancel()
            await reaper.value
        }
    }
}
