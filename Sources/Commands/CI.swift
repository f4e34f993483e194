import ArgumentParser
import FactoryCore
import Model
import SystemPackage

struct CI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what a continuous integration server needs to build images.", subcommands: [GoCD.self])

    struct GoCD: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gocd",
            abstract: "Write pipelines for GoCD's YAML plugin: build, verify, publish.",
            discussion: """
                A pipeline for each definition, and for each image of an architecture file of gen-vm-image. They need \
                no template. Save them as NAME.gocd.yml in the repository that GoCD watches.
                """)

        @Argument(help: "Definitions or architecture files, by their paths in the repository.")
        var definitions: [String]

        @Option(help: "The URL of the Git repository with the definitions.")
        var git: String

        @Option(help: "Its branch.")
        var branch = "main"

        @Option(help: "The group of the pipelines: letters, digits and '_'.")
        var group = "image_factory"

        @Option(help: "When to build even if nothing has changed, as Quartz's cron has it; 'never' for never.")
        var timer = "0 0 4 ? * SUN"

        @Option(name: .customLong("resource"), help: "What an agent must have; may be repeated.")
        var resources: [String] = []

        @Option(help: "Where rsync copies finished files; without it they are GoCD's artifacts only.")
        var publishTo: String?

        @Option(name: .shortAndLong, help: "The file for the pipelines; without it they are printed.")
        var output: String?

        func run() async throws {
            let request = GoCDRequest(
                definitions: definitions.map { FilePath($0) }, repository: git, branch: branch, group: group,
                timer: timer == "never" ? nil : timer, resources: resources, target: publishTo)
            let output = output
            try await Session.run {
                let (text, warnings) = try GoCDPlanning.text(request)
                for warning in warnings { Session.note(warning.description) }
                guard let output else { return try Session.tell(text) }
                try WholeText.write(text, to: FilePath(output))
            }
        }
    }
}
