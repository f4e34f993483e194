import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct LedgerTests {
    /// Rewrites the entry of an intent as one of another process.
    private func forge(
        _ intent: Ledger.Intent, in store: FolderStore, _ change: (inout Ledger.Entry) -> Void
    ) throws {
        let file = store.root.appending("ledger").appending(intent.id + ".json")
        var entry = try Canonical.decode(Ledger.Entry.self, from: try DurableFile.read(file))
        change(&entry)
        try DurableFile.write(Array(try Canonical.text(entry).utf8), to: file)
    }

    private func makeFolder(_ scratch: FilePath) throws -> FilePath {
        let place = scratch.appending("out")
        try Folder.make(place)
        return place
    }

    @Test func `An entry is there before the files, and gone when they are settled`() async throws {
        try await FolderStore.with { store in
            let intent = try store.ledger.temporaryFiles(in: store.root)
            let entry = try #require(store.ledger.entries().entries.first)
            #expect((entry.kind, entry.path, entry.id) == (.temporaryFiles, store.root.string, intent.id))
            #expect(entry.process == getpid() && entry.started > 0 && entry.boot.utf8.count == 36)
            intent.settle()
            #expect(store.names("ledger").isEmpty)
        }
    }

    @Test(arguments: [
        (Ledger.DomainRelease.released, 0, false, true), (.failed, 7200, true, false), (.unknown, 0, false, false),
        (.unknown, 0, true, true), (.unknown, 7200, false, true),
    ])
    func `A machine of libvirt that a dead process left is released, or stays written down as long as it may come`(
        _ row: (release: Ledger.DomainRelease, age: Int, isOtherBoot: Bool, isGone: Bool)
    ) async throws {
        try await FolderStore.with { store in
            var intent: Ledger.Intent? = try store.ledger.libvirtDomain(of: "qemu:///session")
            let id = try #require(intent?.id)
            try forge(try #require(intent), in: store) {
                $0.started += 1
                if row.isOtherBoot { $0.boot = String($0.boot.reversed()) }
            }
            intent = nil
            let then = timespec(tv_sec: time(nil) - row.age, tv_nsec: 0)
            utimensat(AT_FDCWD, store.root.appending("ledger/\(id).json").string, [then, then], 0)
            var asked: [String] = []
            await store.ledger.reap { connection, name in
                asked.append("\(connection) \(name)")
                return row.release
            }
            #expect(asked == ["qemu:///session image-factory-\(id)"])
            #expect(store.names("ledger").isEmpty == row.isGone)
        }
    }

    @Test func `A connection that is not ours is no entry`() async throws {
        try await FolderStore.with { store in
            let intent = try store.ledger.libvirtDomain(of: "qemu:///session")
            try forge(intent, in: store) { $0.path = "qemu+ssh://elsewhere/system" }
            #expect(store.ledger.entries().entries == [])
            intent.settle()
        }
    }

    @Test func `What a live process made stays`() async throws {
        try await FolderStore.with { store in
            let place = try makeFolder(store.root)
            let intent = try store.ledger.temporaryFiles(in: place)
            try Scratch.write("x", place.appending(".a." + intent.id))
            await store.reap()
            #expect(Scratch.names(place) == [".a." + intent.id])
            #expect(store.names("ledger").count == 1)
            intent.settle()
        }
    }

    @Test(arguments: [true, false])
    func `What a dead process left is removed, and nothing else`(isOtherBoot: Bool) async throws {
        try await FolderStore.with { store in
            let place = try makeFolder(store.root)
            var intent: Ledger.Intent? = try store.ledger.temporaryFiles(in: place)
            let id = try #require(intent?.id)
            let other = UniqueName.make()
            for name in [".a.\(id)", ".b.sha256sum.\(id)", ".a.\(other)", "a", "a.\(id)"] {
                try Scratch.write("x", place.appending(name))
            }
            try forge(try #require(intent), in: store) { entry in
                if isOtherBoot { entry.boot = "another" } else { entry.started += 1 }
            }
            intent = nil
            await store.reap()
            #expect(Scratch.names(place) == [".a.\(other)", "a", "a.\(id)"].sorted())
            #expect(store.names("ledger").isEmpty)
        }
    }

    @Test func `An entry whose folder is gone is removed`() async throws {
        try await FolderStore.with { store in
            let place = try makeFolder(store.root)
            let intent = try store.ledger.temporaryFiles(in: place)
            try forge(intent, in: store) { $0.boot = "another" }
            rmdir(place.string)
            await store.reap()
            #expect(store.names("ledger").isEmpty)
        }
    }

    @Test func `Entries that are none remove nothing, and the check names them`() async throws {
        try await FolderStore.with { store in
            let place = try makeFolder(store.root)
            try Scratch.write("x", place.appending(".bashrc"))
            let id = UniqueName.make()
            try Scratch.write(
                #"{"kind":"temporary-files","path":"\#(place)","id":"bashrc","boot":"b","process":1,"started":1}"#,
                store.root.appending("ledger").appending("\(id).json"))
            await store.reap()
            #expect(Scratch.names(place) == [".bashrc"])
            #expect(try await store.check(repair: false).map(\.what) == ["it is no entry of the ledger"])
        }
    }
}
