import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove results, packages and logs from the store.",
        discussion: "First what was not used for --age, then the longest unused until at most --size is left.")

    @Option(help: "Keep at most this much, such as 20G.")
    var size: ByteCount?

    @Option(help: "Remove what was not used for this long, such as 30d.")
    var age: TimeLength?

    @Option(help: "The store, where image-factory.conf names another one by cache_dir.")
    var cacheDir: String?

    func validate() throws {
        guard size != nil || age != nil else { throw ValidationError("give --size, --age or both") }
    }

    func run() async throws {
        let (size, age, folder) = (size, age, cacheDir.map { FilePath($0) })
        try await Session.run {
            let factory = try Host.factory().keeping(in: folder)
            let report = try await factory.prune(size: size, age: age?.seconds)
            let removed = "\(report.removed) \(report.removed == 1 ? "entry" : "entries"), \(report.freed)"
            try Session.tell("removed \(removed); \(report.left) are left in \(factory.store)\n")
        }
    }
}
