package import Model
package import Tooling

/// Uploads by rsync as the user has it set up: with the user's environment, keys and agent, not contained.
///
/// rsync writes under a temporary name and renames; it takes files in the order of their names, so the checksum is last.
package struct RsyncPublisher: Publisher {
    private let runner: any CommandRunning
    private let environment: [String: String]
    private let limits: TransferLimits

    /// - Parameter environment: the caller's, which may have a password in RSYNC_PASSWORD.
    package init(
        runner: any CommandRunning, environment: [String: String], limits: TransferLimits = TransferLimits(attempts: 3)
    ) {
        self.runner = runner
        self.environment = environment
        self.limits = limits
    }

    package func publish(
        _ image: PublishedImage, to destination: UploadDestination, report: TransferReport
    ) async throws {
        let arguments = destination.arguments + [image.file, image.checksum, destination.target]
        if await isThere(arguments) {
            report.note("\(image.file) is at \(Source.shown(destination.target)) already")
            return
        }
        let command = CallerCommand.make("rsync", arguments, environment: environment)
        var failures = 0
        while true {
            report.note("Calling \(CallerCommand.line(command))")
            let result = try await runner.run(command) { _, line in report.log(line) }
            if result.succeeded { break }
            failures += 1
            let reason = RsyncFailure.reason(result).map { ": \($0)" } ?? ""
            var error = FactoryError(
                .unavailable, CallerCommand.failure(command, result.ending) + reason,
                remedy: "check the destination '\(destination.name)', then publish the image again")
            error.status = CallerCommand.status(result.ending)
            let failure = RsyncFailure(ending: result.ending, error: error)
            guard failure.mayPass, failures < limits.attempts else { throw failure.error }
            let pause = limits.pause(after: failures)
            report.log("\(failure.error.message); trying again in \(pause)")
            try await Task.sleep(for: pause)
        }
        report.note("Successfully uploaded \(image.file) to \(Source.shown(destination.target))")
    }

    /// Whether rsync would send nothing. A failure says no more than that it has to be tried.
    private func isThere(_ arguments: [String]) async -> Bool {
        let command = CallerCommand.make(
            "rsync", ["--dry-run", "--checksum", "--out-format=image-factory %o %n"] + arguments,
            environment: environment)
        guard let result = try? await runner.run(command), result.succeeded else { return false }
        return !result.text.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("image-factory send ") }
    }
}
