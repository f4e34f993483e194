import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Fsck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the store: results, package lists, packages, plans.",
        discussion: "Prints a line for each problem. The exit status is 0 if there are none, or all were repaired.")

    @Flag(help: "Remove what is damaged; a build makes it again.")
    var repair = false

    @Option(help: "The store, where image-factory.conf names another one by cache_dir.")
    var cacheDir: String?

    func run() async throws {
        let (repair, folder) = (repair, cacheDir.map { FilePath($0) })
        try await Session.run {
            let factory = try Host.factory().keeping(in: folder)
            let problems = try await factory.fsck(repair: repair)
            try Session.tell(problems.map { Printable.line($0.line, unicode: true) + "\n" }.joined())
            let left = problems.filter { !$0.isRepaired }.count
            guard left == 0 else {
                throw FactoryError(
                    .failed, "\(left) \(left == 1 ? "problem is" : "problems are") in the store \(factory.store)",
                    remedy: repair
                        ? "end the builds that use it, and run it again" : "run 'image-factory fsck --repair'")
            }
            try Session.tell("the store \(factory.store) is sound\n")
        }
    }
}
