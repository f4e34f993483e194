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
    /// lists against their signed indexes, packages against their digests, and what is kept of their fields against them.
    /// The problems, in the order of their paths.
    package func fsck(repair: Bool) async throws -> [StoreFinding] {
        let opened = repair ? try await openStore() : try storeFolder(runner)
        var problems = try await opened.check(repair: repair)
        for folder in folders(of: opened, "releases") {
            guard let damage = try await DownloadCheck.damage(ofLists: folder) else { continue }
            problems.append(await opened.removeDamaged(folder, damage, repair))
        }
        let packages = opened.root.appending("packages")
        let damaged = try await DownloadCheck.damagedPackages(in: packages)
        for package in damaged {
            problems.append(await opened.removeDamaged(package, "it is not the package that its name says", repair))
        }
        for fields in try await DownloadCheck.damagedFields(in: packages, except: damaged, runner: runner) {
            problems.append(await opened.removeDamaged(fields, "it does not have the fields of its package", repair))
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
