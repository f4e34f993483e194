import Engine
import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling
import Transfer

/// What is done with a finished image that is in place: it is told, taken to its destinations, and shown to the user's
/// own program.
struct Delivery: Sendable {
    private let definition: ImageDefinition
    private let folder: FilePath
    private let commands: UserCommand
    private let runner: any CommandRunning
    private let postBuild: PostBuildCommand?

    /// Throws if a command cannot be understood.
    init(
        _ definition: ImageDefinition, _ request: BuildRequest, runner: any CommandRunning,
        environment: [String: String]
    ) throws {
        let commands = UserCommand(runner: runner, environment: environment)
        self.definition = definition
        folder = request.output
        self.commands = commands
        self.runner = runner
        postBuild = try definition.postBuildCommand.map { value in
            try PostBuildCommand(value) { commands.isProgram($0) }
        }
    }

    /// Tells what keeps the commands from being run before anything is made.
    func requirePrograms() throws {
        guard let program = postBuild?.words.first, !commands.isProgram(program) else { return }
        throw FactoryError(
            .missingInput, "there is no program '\(program)', which 'post-build-command' names",
            remedy: "check the name and the mode of the file")
    }

    func deliver(_ report: BuildReport, _ events: EventLog) async throws {
        guard let image = report.artifacts.first else { return }
        if case .netinstall = definition.base {
            events.send(.note(message: "Successfully created \(path(image.file))"))
        }
        for destination in definition.uploads { try await upload(report.artifacts, to: destination, events) }
        if let postBuild {
            if postBuild.wasSplit {
                events.send(
                    .warning(
                        step: nil,
                        message: "post-build-command names no program as a whole, so it is taken for a program and its "
                            + "arguments: \(UserCommand.shown(postBuild.words))"))
            }
            let step = "post-build-command"
            try await commands.run(postBuild.words + [path(image.file)], step: step, events)
        }
    }

    /// The image with its checksum; of what is made of packages all that is published.
    private func upload(_ artifacts: [Artifact], to destination: UploadDestination, _ events: EventLog) async throws {
        let step = "upload-" + destination.name
        let files = uploaded(artifacts)
        try await commands.run(
            ["rsync"] + destination.arguments + files + [destination.target], step: step, events)
        for file in files where !file.hasSuffix(".sha256sum") {
            events.send(.note(message: "Successfully uploaded \(file) to \(destination.target)"))
        }
        for command in destination.commands { try await commands.run(command, step: step, events) }
    }

    private func uploaded(_ artifacts: [Artifact]) -> [String] {
        artifacts.prefix(1).flatMap { [path($0.file), path($0.file + ".sha256sum")] }
    }

    /// As seen from where the build was asked for.
    private func path(_ file: String) -> String { folder == "." ? file : folder.appending(file).string }
}

extension ImageDefinition {
    var postBuildCommand: String? {
        guard case .netinstall(let install) = base else { return nil }
        return install.postBuildCommand
    }
}

extension ImageDefinition {
    /// Whether the person who asked for the image wants to see what the installer wrote in it.
    var showsInstallerLogs: Bool {
        guard case .netinstall(let install) = base else { return false }
        return install.showsInstallerLogs
    }
}
