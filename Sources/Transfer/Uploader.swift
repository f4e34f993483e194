package import Model
package import Tooling

/// Takes an image to its destinations, and runs what the user wants to be run afterwards.
package struct Uploader: Sendable {
    private let runner: any CommandRunning
    private let environment: [String: String]
    private let publishers: [UploadDestination.Kind: any Publisher]

    /// - Parameters:
    ///   - environment: of the caller, for the programs that are run: they are the user's own.
    ///   - publishers: in place of the usual ones.
    package init(
        runner: any CommandRunning, environment: [String: String],
        publishers: [UploadDestination.Kind: any Publisher]? = nil
    ) {
        self.runner = runner
        self.environment = environment
        self.publishers = publishers ?? [.rsync: RsyncPublisher(runner: runner, environment: environment)]
    }

    /// Serves the destinations in their order; the first failure ends it. The commands of a destination run when its
    /// upload is done, also if the image was there already.
    package func upload(
        _ image: PublishedImage, to destinations: [UploadDestination], report: TransferReport = TransferReport()
    ) async throws {
        for destination in destinations {
            guard let publisher = publishers[destination.kind] else {
                throw FactoryError(
                    .internal, "nothing uploads to the destination '\(destination.name)'")
            }
            try await publisher.publish(image, to: destination, report: report)
            for words in destination.commands {
                try await CallerCommand.run(
                    words, runner: runner, environment: environment,
                    remedy: "check the post-upload commands of the destination '\(destination.name)'", report: report)
            }
        }
    }
}

/// Programs that run as if the user had called them, and how they are told of.
package enum CallerCommand {
    /// Runs one to its end; what it prints goes to the log. A failure has the program's own exit status.
    package static func run(
        _ words: [String], runner: any CommandRunning, environment: [String: String], remedy: String,
        report: TransferReport
    ) async throws {
        guard let program = words.first else { return }
        let command = make(program, Array(words.dropFirst()), environment: environment)
        report.note("Calling \(line(command))")
        let result = try await runner.run(command) { _, line in report.log(line) }
        guard !result.succeeded else { return }
        let last = result.lastLines.last.map { ": \($0)" } ?? ""
        var error = FactoryError(.failed, failure(command, result.ending) + last, remedy: remedy)
        error.status = status(result.ending)
        throw error
    }

    /// The exit status of a process that ends for this reason. A signal's is that of Python's sys.exit, as ever.
    static func status(_ ending: CommandResult.Ending) -> Int32 {
        switch ending {
        case .exited(let status): status
        case .signalled(let signal): 256 - signal
        }
    }

    static func make(_ program: String, _ arguments: [String], environment: [String: String]) -> Command {
        let secrets = environment.filter { $0.key.hasSuffix("PASSWORD") || $0.key.hasSuffix("TOKEN") }.values
        return Command(program, arguments, environment: environment, secrets: secrets.filter { $0.utf8.count >= 4 })
    }

    /// As image-factory 1.0.2 wrote it: words with blanks in quotation marks.
    static func line(_ command: Command) -> String {
        let words = ([command.program] + command.arguments).map { word in
            guard word.contains(where: \.isWhitespace) else { return Source.shown(word) }
            return "\"" + Source.shown(word).replacing("\"", with: "\\\"") + "\""
        }
        return command.masking(words.joined(separator: " "))
    }

    static func failure(_ command: Command, _ ending: CommandResult.Ending) -> String {
        switch ending {
        case .exited(let status): "'\(line(command))' failed with exit code \(status)"
        case .signalled(let signal): "'\(line(command))' was ended by signal \(signal)"
        }
    }
}
