import Model
import Store
import SystemPackage

/// The plan of the last successful build of each name, so that `explain` can tell what changed since.
enum LastPlan {
    static func keep(_ plan: BuildPlan, in store: FolderStore) throws {
        try DurableFile.write(Array(try Canonical.text(plan).utf8), to: path(plan.name, store))
    }

    static func read(_ name: String, from store: FolderStore) -> BuildPlan? {
        guard let bytes = try? DurableFile.read(path(name, store)) else { return nil }
        return try? Canonical.decode(BuildPlan.self, from: bytes)
    }

    private static func path(_ name: String, _ store: FolderStore) -> FilePath {
        store.root.appending("plans").appending(name + ".json")
    }
}
