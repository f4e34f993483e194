import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build the image of a definition.",
        discussion: """
            The image lies in the output folder as NAME-VERSION.FORMAT, with .sha256sum beside it; beside all are \
            a bill of materials, the provenance and a manifest, and signatures if a key is given. Steps whose inputs have not changed are reused.
            """)

    @OptionGroup var definition: DefinitionOptions
    @OptionGroup var shown: OutputOptions

    @Option(name: [.customLong("output"), .customShort("o")], help: "The folder for the image.")
    var folder = "."

    @Option(name: .shortAndLong, help: "How many steps may run at once.")
    var jobs = 2

    @Flag(help: "Choose the newest packages, write them to NAME.lock beside the definition, and say what changed.")
    var updateLock = false

    @Option(help: "Sign what is published with this secret key of minisign.")
    var signKey: String?

    @Option(help: "A file with the password of --sign-key, if it has one.")
    var signPasswordFile: String?

    func validate() throws {
        guard !(updateLock && definition.locked) else {
            throw ValidationError("--locked and --update-lock exclude each other")
        }
        guard jobs >= 1 else { throw ValidationError("--jobs takes a number from 1") }
        guard signPasswordFile == nil || signKey != nil else {
            throw ValidationError("--sign-password-file needs --sign-key")
        }
    }

    func run() async throws {
        let (definition, shown, folder, jobs) = (definition, shown, FilePath(folder), jobs)
        let updateLock = updateLock
        let signing = signKey.map { Signing(key: $0, passwordFile: signPasswordFile) }
        let renderer = shown.style.renderer(verbosity: shown.verbosity, clock: Host.clock)
        let tail = TailKeeper()
        let times = StepTimes()
        try await Session.run(renderer, tail: tail) {
            let request = try definition.request(
                output: folder, updateLock: updateLock, jobs: jobs, signing: signing)
            let report = try await Host.factory().build(
                request,
                consumers: [
                    { tail.consume($0) }, { times.consume($0) }, { renderer.consume($0) },
                ])
            renderer.finish()
            if shown.style != .json, shown.verbosity != .quiet { BuildSummary(report, times.steps).write() }
        }
    }
}

extension BuildSummary {
    init(_ report: BuildReport, _ steps: [Step]) {
        // A step that was reused took its time in an earlier build, which is what compares.
        let made = Dictionary(uniqueKeysWithValues: report.steps.map { ($0.name, $0.seconds) })
        self.init(
            name: report.name,
            files: report.artifacts.map { artifact in
                File(
                    path: report.folder.appending(artifact.file).string, size: artifact.size,
                    allocated: artifact.allocated, digest: artifact.digest)
            },
            steps: steps.map { step in
                Step(name: step.name, outcome: step.outcome, seconds: made[step.name] ?? step.seconds)
            },
            seconds: report.seconds, lockChanges: report.lockChanges)
    }
}
