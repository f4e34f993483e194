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
    /// lists against their signed indexes, and packages against their digests. The problems, in the order of their paths.
    package func fsck(repair: Bool) async throws -> [StoreFinding] {
        let opened = repair ? try await openStore() : try storeFolder(runner)
        var problems = try await opened.check(repair: repair)
        for folder in folders(of: opened, "releases") {
            guard let damage = try await DownloadCheck.damage(ofLists: folder) else { continue }
            problems.append(await opened.removeDamaged(folder, damage, repair))
        }
        for package in try await DownloadCheck.damagedPackages(in: opened.root.appending("packages")) {
            problems.append(await opened.removeDamaged(package, "it is not the package that its name says", repair))
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
