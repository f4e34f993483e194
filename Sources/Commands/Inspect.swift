import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what is known of an image, and check digests and signatures.",
        discussion: """
            FILE is an image, a file beside one, or a folder. Of an image, what lies beside it is compared with it; of \
            anything else, all that belongs to it has to be there.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Argument(help: "An image, a file beside one, or a folder.")
    var file: String

    @Option(help: "A public key of minisign, or a file with one: signatures have to be there and to be of this key.")
    var publicKey: String?

    @Option(help: "How to tell it: text or json.")
    var format = Format.text

    func run() async throws {
        let (file, publicKey, format) = (FilePath(file), publicKey, format)
        try await Session.run {
            let inspection = try await Host.factory().inspect(file, publicKey: publicKey)
            switch format {
            case .json: try Session.tell(try Canonical.text(inspection))
            case .text:
                let lines = InspectionReport(inspection).lines(TerminalTraits(descriptor: 1))
                try Session.tell(lines.joined(separator: "\n") + "\n")
            }
            let bad = inspection.problems
            guard bad.isEmpty else {
                throw FactoryError(
                    .failed, bad.count == 1 ? "\(bad[0].file) is not sound" : "\(bad.count) files are not sound",
                    remedy: "do not use them: get them again, or build the image again")
            }
        }
    }
}
