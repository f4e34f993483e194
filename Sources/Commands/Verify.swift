import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Verify: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text
        case json
        case junit
    }

    static let configuration = CommandConfiguration(
        abstract: "Apply the rules of sound images to an image file.",
        discussion: """
            The file may be of any format that QEMU reads and need not have been built here. It is read only. The exit \
            status is 0 if no rule is broken, 1 if one is, 65 if it is no image that can be verified. With --advisory it \
            is 0 also for a disk that no rule can read; a file that is not safe to open stays an error.
            """)

    @Argument(help: "A disk image.")
    var image: String

    @Option(help: "How the findings are printed: text, json or junit.")
    var format = Format.text

    @Flag(help: "Let warnings be violations too.")
    var strict = false

    @Flag(help: "Only tell what is found, as a build does of an image that others made: nothing is a violation.")
    var advisory = false

    @Option(name: .customLong("waive"), help: "Let a rule be broken: RULE=REASON; may be repeated.")
    var waivers: [Assignment] = []

    func validate() throws {
        guard waivers.allSatisfy({ !$0.value.isEmpty }) else { throw ValidationError("--waive takes RULE=REASON") }
        guard !strict || !advisory else { throw ValidationError("--strict and --advisory exclude each other") }
    }

    func run() async throws {
        let (path, format) = (image, format)
        let policy = VerifyPolicy(
            waivers: waivers.map { .init(rule: $0.name, reason: $0.value) }, isStrict: strict, isAdvisory: advisory)
        let broken = Outcome()
        try await Session.run {
            let report = try await Host.factory().verify(FilePath(path), policy: policy) { Session.note($0) }
            let text =
                switch format {
                case .text: VerifyText.text(report, traits: TerminalTraits(descriptor: 1))
                case .json: try Canonical.text(report)
                case .junit: VerifyJUnit.text(report, of: path)
                }
            try Session.tell(text)
            broken.set(!report.violations.isEmpty)
        }
        if broken.isSet { throw ExitCode(1) }
    }
}
