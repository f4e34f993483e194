import Engine
import Glibc
import Model
package import SystemPackage

/// Something in the store that is not as the store left it.
package struct StoreProblem: Sendable, Hashable {
    package var path: FilePath
    /// To be read after the path: "its record cannot be read".
    package var what: String
    /// What was done about it; nil: nothing, or nothing could be.
    package var repair: String?

    package init(_ path: FilePath, _ what: String, repair: String? = nil) {
        self.path = path
        self.what = what
        self.repair = repair
    }
}

extension FolderStore {
    /// Compares what is there with what the store knows of it: folders, results with their files' sizes and digests,
    /// plans, facts of the host, the ledger. What a build is making or removing now is no problem, and neither is what
    /// a killed one left: the next start removes that.
    ///
    /// - Parameter repair: removes what is damaged, since it can be made again, and moves what is not of the store into
    ///   its folder `set-aside`.
    package func check(repair: Bool) async throws -> [StoreProblem] {
        var problems = checkFolders(repair: repair)
        for shelf in try list(root.appending("results")) {
            let place = root.appending("results").appending(shelf)
            guard shelf.string.utf8.count == 2, Self.isFolder(place) else {
                problems.append(setAside(place, "it is no shelf of results", repair))
                continue
            }
            for name in try list(place) where !name.string.hasPrefix(".") {
                try Task.checkCancellation()
                if let problem = try await checkResult(place.appending(name), repair: repair) {
                    problems.append(problem)
                }
            }
        }
        problems += try checkFiles(repair: repair)
        problems += try await checkSources(repair: repair)
        return problems
    }

    private func checkSources(repair: Bool) async throws -> [StoreProblem] {
        let folder = root.appending("sources")
        var problems: [StoreProblem] = []
        for name in try list(folder) where !["index", "partial"].contains(name.string) && !name.string.hasPrefix(".") {
            try Task.checkCancellation()
            let path = folder.appending(name)
            guard let known = Digest(name.string), known.hex == name.string, Self.size(path) != nil else {
                problems.append(setAside(path, "it is no source", repair))
                continue
            }
            guard let found = try await sourceDigest(path), found != known else { continue }
            problems.append(await removeDamaged(path, "it is not the source that its name says", repair))
        }
        for name in try list(folder.appending("index")) where !name.string.hasPrefix(".") {
            let path = folder.appending("index").appending(name)
            guard let bytes = try? DurableFile.read(path),
                (try? Canonical.decode(AnyDocument.self, from: bytes)) == nil
            else { continue }
            problems.append(await removeDamaged(path, "it is no record of a source", repair))
        }
        return problems
    }

    /// Nil where it is gone by now.
    private func sourceDigest(_ path: FilePath) async throws -> Digest? {
        do {
            return try await digest(path)
        } catch  where !Self.isThere(path) {
            return nil
        }
    }

    /// Removes a damaged file or folder that nobody uses.
    package func removeDamaged(_ path: FilePath, _ what: String, _ repair: Bool) async -> StoreProblem {
        guard repair else { return StoreProblem(path, what) }
        let isResult = path.removingLastComponent().removingLastComponent().lastComponent?.string == "results"
        let entry = Entry(
            path: path, allocated: ByteCount(0), used: 0, lock: isResult ? path.lastComponent?.string : nil)
        return StoreProblem(path, what, repair: await discard(entry) ? "removed" : nil)
    }

    private func checkFolders(repair: Bool) -> [StoreProblem] {
        Self.folders.map { root.appending($0) }.filter { !Self.isFolder($0) }.map { folder in
            let problem = setAside(folder, "it is no folder", repair)
            if repair { try? Folder.make(folder) }
            return problem
        }
    }

    private func checkResult(_ folder: FilePath, repair: Bool) async throws -> StoreProblem? {
        let name = folder.lastComponent?.string ?? ""
        guard let id = Digest(name), id.hex == name,
            folder.removingLastComponent().lastComponent?.string == "\(name.prefix(2))"
        else { return setAside(folder, "it is no result", repair) }
        guard let damage = try await leasedDamage(of: folder, id), Self.isThere(folder) else { return nil }
        return await removeDamaged(folder, damage, repair)
    }

    /// The lease ends with the look at it: it would keep the result from being removed.
    private func leasedDamage(of folder: FilePath, _ id: Digest) async throws -> String? {
        let lease = FileLock.attempt(existing: folder.appending("record.json"), shared: true)
        defer { withExtendedLifetime(lease) {} }
        return try await damage(of: folder, id)
    }

    /// What is wrong with a result, or nil.
    private func damage(of folder: FilePath, _ id: Digest) async throws -> String? {
        guard let record = try record(in: folder) else { return "its record cannot be read" }
        guard record.id == id else { return "its record is that of another result" }
        for file in record.files {
            let path = folder.appending(file.name)
            guard let size = Self.size(path) else { return "its file \(file.name) is missing" }
            guard size == file.size else { return "its file \(file.name) has \(size) bytes, not \(file.size)" }
            guard try await digest(path) == file.digest else { return "its file \(file.name) has changed" }
        }
        let known = Set(record.files.map(\.name) + ["record.json", "log"])
        let strange = try list(folder).map(\.string).first { !known.contains($0) }
        return strange.map { "its record does not know the file \($0)" }
    }

    /// Nil where it is missing or damaged; throws where the system is at fault, which is no reason to remove anything.
    private func record(in folder: FilePath) throws -> StepRecord? {
        let path = folder.appending("record.json")
        do {
            let bytes = try DurableFile.read(path)
            return try? Canonical.decode(StepRecord.self, from: bytes)
        } catch .noSuchFileOrDirectory, .isDirectory {
            return nil
        } catch {
            throw FileFailure.error(error, "read", path)
        }
    }

    /// What cannot be listed cannot be called sound; a shelf may be gone by now.
    private func list(_ folder: FilePath) throws -> [FilePath.Component] {
        do {
            return try Folder.list(folder)
        } catch .noSuchFileOrDirectory, .notDirectory {
            return []
        } catch {
            throw FileFailure.error(error, "list", folder)
        }
    }

    private func checkFiles(repair: Bool) throws -> [StoreProblem] {
        var problems: [StoreProblem] = []
        func remove(_ path: FilePath, _ what: String) {
            let removed = repair && (try? Folder.remove(path)) != nil
            problems.append(StoreProblem(path, what, repair: removed ? "removed" : nil))
        }
        for name in try list(root.appending("plans")) where !name.string.hasPrefix(".") {
            let path = root.appending("plans").appending(name)
            let plan = (try? DurableFile.read(path)).flatMap { try? Canonical.decode(BuildPlan.self, from: $0) }
            if plan == nil {
                remove(path, "it is no plan")
            } else if plan.map({ $0.name + ".json" }) != name.string {
                remove(path, "it is the plan of another image")
            }
        }
        for name in ["host-facts.json", "accelerator.json"] {
            guard let bytes = try? DurableFile.read(root.appending(name)) else { continue }
            if (try? Canonical.decode(AnyDocument.self, from: bytes)) == nil {
                remove(root.appending(name), "it is no JSON")
            }
        }
        for path in ledger.entries().damaged where Self.isThere(path) { remove(path, "it is no entry of the ledger") }
        return problems
    }

    private func setAside(_ path: FilePath, _ what: String, _ repair: Bool) -> StoreProblem {
        guard repair else { return StoreProblem(path, what) }
        let place = root.appending("set-aside")
        let target = place.appending("\(path.lastComponent?.string ?? "x").\(UniqueName.make())")
        guard (try? Folder.make(place)) != nil, Glibc.rename(path.string, target.string) == 0 else {
            return StoreProblem(path, what)
        }
        return StoreProblem(path, what, repair: "moved to \(target)")
    }

    private static func isFolder(_ path: FilePath) -> Bool {
        var facts = stat()
        return stat(path.string, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    private static func isThere(_ path: FilePath) -> Bool {
        var facts = stat()
        return lstat(path.string, &facts) == 0
    }
}

/// Any JSON.
private struct AnyDocument: Decodable {
    init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Key.self) }

    private enum Key: CodingKey {}
}
