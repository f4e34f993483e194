import ArgumentParser
import FactoryCore
import Model

/// The program's own command line; without a subcommand it is `build`.
struct ImageFactory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image-factory",
        abstract: "Build golden images for virtual machines, without root.",
        version: ImageFactoryVersion.current,
        subcommands: [
            Build.self, Plan.self, Publish.self, Explain.self, Run.self, Verify.self, Diff.self, Inspect.self,
            Doctor.self,
            Prune.self,
            Fsck.self, Schema.self, CI.self, Seed.self, As.self, InstallLinks.self,
        ],
        defaultSubcommand: Build.self)
}
