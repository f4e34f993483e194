import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

/// Sources are written by the module Transfer; here the store takes care of them.
@Suite struct SourcesTests {
    private func add(_ text: String, to store: FolderStore, used: Int) throws -> FilePath {
        let path = store.root.appending("sources").appending(Digest(of: Array(text.utf8)).hex)
        try Scratch.write(text, path)
        let time = timespec(tv_sec: used, tv_nsec: 0)
        _ = utimensat(AT_FDCWD, path.string, [time, time], 0)
        return path
    }

    @Test func `A source that was not used for long is removed, unless somebody uses it`() async throws {
        try await FolderStore.with { store in
            let (old, used) = (try add("old", to: store, used: 100), try add("used", to: store, used: 100))
            let new = try add("new", to: store, used: 400)
            let lease = FileLock.attempt(existing: used, shared: true)
            let removed = await store.prune(size: nil, age: 150, now: 400).removed
            #expect(removed.map(\.path) == [old])
            let left = [new, used].compactMap(\.lastComponent?.string)
            #expect(Set(store.names("sources")) == Set(left + ["index", "partial"]))
            withExtendedLifetime(lease) {}
        }
    }

    @Test func `A transfer that was interrupted long ago is removed, one that goes on is not`() async throws {
        try await FolderStore.with { store in
            for name in ["aa", "bb"] {
                let folder = store.root.appending("sources/partial").appending(name)
                try Folder.make(folder.appending("out"))
                try Scratch.write("half", folder.appending("out").appending("body"))
            }
            let lock = try FileLock.attempt(store.root.appending("locks").appending("source-aa"))
            _ = await store.prune(size: nil, age: 150, now: 1e12)
            #expect(Scratch.names(store.root.appending("sources/partial")) == ["aa"])
            withExtendedLifetime(lock) {}
        }
    }

    @Test func `A source whose bytes have changed is found, and removed if asked`() async throws {
        try await FolderStore.with { store in
            let path = try add("kernel", to: store, used: 100)
            #expect(try await store.check(repair: false) == [])
            try Scratch.write("forged", path)
            let what = "it is not the source that its name says"
            #expect(try await store.check(repair: false) == [StoreProblem(path, what)])
            #expect(try await store.check(repair: true) == [StoreProblem(path, what, repair: "removed")])
            #expect(try await store.check(repair: false) == [])
        }
    }

    @Test func `What is no source is set aside, and a record that cannot be read is removed`() async throws {
        try await FolderStore.with { store in
            let strange = store.root.appending("sources").appending("strange")
            let record = store.root.appending("sources/index").appending("aa.json")
            try Scratch.write("x", strange)
            try Scratch.write("{", record)
            #expect(
                try await store.check(repair: true).map(\.what) == ["it is no source", "it is no record of a source"])
            #expect(try await store.check(repair: false) == [])
        }
    }
}
