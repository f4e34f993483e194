import Engine
import Glibc
import Model
import Store
import SystemPackage
import TestSupport
import Testing

@Suite struct FsckTests {
    /// A store with one result, which nobody uses; its folder.
    private func fill(_ store: FolderStore) async throws -> FilePath { try await store.make(Steps.step()).folder }

    @Test func `A sound store has no problems`() async throws {
        try await FolderStore.with { store in
            #expect(try await store.check(repair: false) == [])
            _ = try await fill(store)
            _ = try await store.beginNew(Steps.step("b"))
            #expect(try await store.check(repair: false) == [])
        }
    }

    enum Damage: String, CaseIterable, Sendable {
        case noRecord, halfRecord, otherRecord, noFile, shortFile, changedFile, strangeFile

        var what: String {
            switch self {
            case .noRecord, .halfRecord: "its record cannot be read"
            case .otherRecord: "its record is that of another result"
            case .noFile: "its file out.txt is missing"
            case .shortFile: "its file out.txt has 1 bytes, not 5"
            case .changedFile: "its file out.txt has changed"
            case .strangeFile: "its record does not know the file strange"
            }
        }

        func apply(to result: FilePath) throws {
            let (record, file) = (result.appending("record.json"), result.appending("out.txt"))
            chmod(file.string, 0o644)
            switch self {
            case .noRecord: unlink(record.string)
            case .halfRecord: try Scratch.write("{\"id\":", record)
            case .otherRecord:
                let text = try Scratch.read(record)
                let id = result.lastComponent?.string ?? ""
                try Scratch.write(text.replacing(id, with: String(repeating: "0", count: 64)), record)
            case .noFile: unlink(file.string)
            case .shortFile: try Scratch.write("x", file)
            case .changedFile: try Scratch.write("yyyyy", file)
            case .strangeFile: try Scratch.write("x", result.appending("strange"))
            }
        }
    }

    @Test(arguments: Damage.allCases) func `A damaged result is named, and removed if asked`(damage: Damage)
        async throws
    {
        try await FolderStore.with { store in
            let result = try await fill(store)
            try damage.apply(to: result)
            #expect(try await store.check(repair: false) == [StoreProblem(result, damage.what)])
            #expect(!Scratch.names(result).isEmpty)
            #expect(try await store.check(repair: true) == [StoreProblem(result, damage.what, repair: "removed")])
            #expect(try await store.check(repair: false) == [])
            #expect(store.names("locks").isEmpty)
            try await store.make(Steps.step())
            #expect(try await store.check(repair: false) == [])
        }
    }

    @Test(arguments: [Damage.noFile, .shortFile, .noRecord, .halfRecord])
    func `A lookup does not find a damaged result, and it is made again`(damage: Damage) async throws {
        try await FolderStore.with { store in
            let step = try Steps.step()
            try damage.apply(to: try await fill(store))
            #expect(try store.lookup(step.id) == nil)
            try await store.make(step)
            #expect(try store.lookup(step.id) != nil)
        }
    }

    @Test func `A damaged result that a build uses stays`() async throws {
        try await FolderStore.with { store in
            let result = try await fill(store)
            let used = try store.lookup(Steps.step().id)
            try Damage.changedFile.apply(to: result)
            #expect(try await store.check(repair: true) == [StoreProblem(result, Damage.changedFile.what)])
            #expect(used?.folder == result)
        }
    }

    @Test func `What is not of the store is moved aside`() async throws {
        try await FolderStore.with { store in
            let results = store.root.appending("results")
            try Folder.make(results.appending("ab").appending("mine"))
            try Scratch.write("x", results.appending("notes.txt"))
            let problems = try await store.check(repair: true)
            #expect(problems.map(\.what) == ["it is no result", "it is no shelf of results"])
            #expect(problems.allSatisfy { $0.repair?.hasPrefix("moved to ") == true })
            #expect(store.names("set-aside").count == 2)
            #expect(try await store.check(repair: false) == [])
        }
    }

    @Test func `Plans and facts that are none are named`() async throws {
        try await FolderStore.with { store in
            let plan = BuildPlan(name: "a", version: "1", definition: Digest(of: []), steps: [], artifacts: [])
            let text = try Canonical.text(plan)
            for name in ["a.json", "b.json"] { try Scratch.write(text, store.root.appending("plans").appending(name)) }
            try Scratch.write("{", store.root.appending("plans").appending("c.json"))
            try Scratch.write("{\"a\":", store.root.appending("host-facts.json"))
            #expect(
                try await store.check(repair: false).map(\.what)
                    == ["it is the plan of another image", "it is no plan", "it is no JSON"])
            _ = try await store.check(repair: true)
            #expect(store.names("plans") == ["a.json"])
            #expect(try await store.check(repair: false) == [])
        }
    }

    @Test func `A file in the place of a folder is moved aside`() async throws {
        try await FolderStore.with { store in
            let plans = store.root.appending("plans")
            rmdir(plans.string)
            try Scratch.write("x", plans)
            #expect(try await store.check(repair: false) == [StoreProblem(plans, "it is no folder")])
            _ = try await store.check(repair: true)
            #expect(try await store.check(repair: false) == [])
        }
    }
}
