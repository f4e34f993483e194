import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a finished image to where it is wanted.",
        discussion: """
            The image must agree with the checksum beside it. Both are taken, the checksum last; what is there already \
            with the same bytes is not sent again. The exit status is that of rsync if it fails.
            """)

    @Argument(help: "An image with its .sha256sum beside it.")
    var image: String

    @Argument(help: "Targets of rsync, such as me@host:/srv/images/.")
    var targets: [String]

    @Option(
        name: .customLong("rsync-arg"), parsing: .unconditionalSingleValue,
        help: "An argument for rsync; may be repeated.")
    var arguments: [String] = []

    func run() async throws {
        let (image, targets, arguments) = (FilePath(image), targets, arguments)
        try await Session.run {
            try await Host.factory().deliver(image, to: targets, arguments: arguments) { Session.note($0) }
        }
    }
}
