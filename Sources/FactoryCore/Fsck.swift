import Model
import Steps
import Store
import SystemPackage

/// A problem of the store as a person reads it.
package struct StoreFinding: Sendable {
    /// "PATH: what is wrong[; what was done]".
    package var line: String
    package var isRepaired: Bool
}

extension Factory {
    /// Checks the store and, if asked, repairs it: results, plans, facts and the ledger against their records, package
    /// lists against their signed indexes, and packages against the lists. The problems, in the order of their paths.
    package func fsck(repair: Bool) async throws -> [StoreFinding] {
        let opened = repair ? try await openStore() : try storeFolder(runner)
        var problems = try await opened.check(repair: repair)
        var lists: [FilePath] = []
        for folder in folders(of: opened, "releases") {
            if let damage = try await DownloadCheck.damage(ofLists: folder) {
                problems.append(await opened.removeDamaged(folder, damage, repair))
            } else {
                lists.append(folder)
            }
        }
        for folder in folders(of: opened, "packages") {
            // A package that is kept by its content says itself what it has to be.
            if let named = folder.stem.flatMap({ Digest($0) }), FolderStore.size(folder) != nil {
                guard try await FileDigest.compute(folder) != named else { continue }
                problems.append(await opened.removeDamaged(folder, "its digest is not its name", repair))
                continue
            }
            for package in try await DownloadCheck.damagedPackages(in: folder, lists: lists) {
                let what = "it is not the package that the lists name"
                problems.append(await opened.removeDamaged(package, what, repair))
            }
        }
        return problems.sorted { $0.path.string < $1.path.string }.map { problem in
            StoreFinding(
                line: "\(problem.path): \(problem.what)" + (problem.repair.map { "; \($0)" } ?? ""),
                isRepaired: problem.repair != nil)
        }
    }

    private func folders(of opened: FolderStore, _ kind: String) -> [FilePath] {
        let place = opened.root.appending(kind)
        return Folder.names(place).filter { !$0.string.hasPrefix(".") }.map { place.appending($0) }
    }
}
