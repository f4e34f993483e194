import Engine
import Model
import SystemPackage
import Tooling
import Transfer

/// What is done with a finished image that is in place: it is told, taken to its destinations, and shown to the user's
/// own program.
struct Delivery: Sendable {
    private let definition: ImageDefinition
    private let folder: FilePath
    private let runner: any CommandRunning
    private let environment: [String: String]
    private let postBuild: PostBuildCommand?

    /// Throws if a command cannot be understood.
    init(
        _ definition: ImageDefinition, _ request: BuildRequest, runner: any CommandRunning,
        environment: [String: String]
    ) throws {
        self.definition = definition
        folder = request.output
        self.runner = runner
        self.environment = environment
        postBuild = try definition.postBuildCommand.map { value in
            try PostBuildCommand(value) { UserPrograms.contain($0, environment) }
        }
    }

    /// Tells what keeps the commands from being run before anything is made.
    func requirePrograms() throws {
        guard let program = postBuild?.words.first, !UserPrograms.contain(program, environment) else { return }
        throw FactoryError(
            .missingInput, "there is no program '\(program)', which 'post-build-command' names",
            remedy: "check the name and the mode of the file")
    }

    func deliver(_ built: BuildReport, _ events: EventLog) async throws {
        guard let image = built.artifacts.first else { return }
        if case .netinstall = definition.base {
            events.send(.note(message: "Successfully created \(path(image.file))"))
        }
        try await upload(built.artifacts, events)
        if let postBuild {
            if postBuild.wasSplit {
                events.send(
                    .warning(
                        step: nil,
                        message: "post-build-command names no program as a whole, so it is taken for a program and its "
                            + "arguments: \(postBuild.words.joined(separator: " | "))"))
            }
            try await CallerCommand.run(
                postBuild.words + [path(image.file)], runner: runner, environment: environment,
                remedy: "see what it needs; the image is finished and in place",
                report: report(of: "post-build-command", events))
        }
    }

    /// An installation's image, with its checksum; of what is made of packages every artifact.
    private func upload(_ artifacts: [Artifact], _ events: EventLog) async throws {
        guard !definition.uploads.isEmpty else { return }
        let uploader = Uploader(runner: runner, environment: environment)
        let wanted = if case .netinstall = definition.base { artifacts.prefix(1) } else { artifacts[...] }
        for artifact in wanted {
            var destinations = definition.uploads
            // A destination's commands run once, when it has everything.
            if artifact != wanted.last { for at in destinations.indices { destinations[at].commands = [] } }
            let image = PublishedImage(file: path(artifact.file), checksum: path(artifact.file + ".sha256sum"))
            try await uploader.upload(image, to: destinations, report: report(of: "upload", events))
        }
    }

    private func report(of step: String, _ events: EventLog) -> TransferReport {
        TransferReport(
            log: { events.send(.log(step: step, line: $0)) }, note: { events.send(.note(message: $0)) },
            warn: { events.send(.warning(step: step, message: $0)) })
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
