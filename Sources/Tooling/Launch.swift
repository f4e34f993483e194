import Model
import Subprocess
import SystemPackage

/// One start of a program: what is executed, and the lifeline of its containment.
struct Launch: Sendable {
    /// How long a program that is not contained may take to end after SIGTERM; then it is killed. A containment ends
    /// at once; there it bounds the wait for its outermost process.
    private static let grace = Duration.seconds(5)

    let command: Command
    let configuration: Configuration
    let lifeline: Lifeline?

    init(_ command: Command, helper: FilePath, proxies: [String: String]) throws {
        self.command = command
        var options = PlatformOptions()
        // Keys such as Ctrl-C in the terminal are meant for this process, which then ends the program.
        options.createSession = true
        options.teardownSequence = [
            .send(
                signal: .terminate, toProcessGroup: command.containment == nil, allowedDurationToNextStep: Self.grace)
        ]
        let variables = command.completeEnvironment(proxies: proxies)
        let program = try Self.locate(command, searchPath: variables["PATH"] ?? Command.searchPath)
        let executable: Executable
        let arguments: Arguments
        if let containment = command.containment {
            executable = .path(helper)
            arguments = Arguments(
                executablePathOverride: "image-factory",
                remainingValues: ["__contain"] + containment.arguments(for: program, command.arguments))
        } else {
            executable = .path(FilePath(program))
            arguments = Arguments(executablePathOverride: command.program, remainingValues: command.arguments)
        }
        let environment = variables.reduce(into: [Environment.Key: String]()) { result, entry in
            if let key = Environment.Key(rawValue: entry.key) { result[key] = entry.value }
        }
        configuration = Configuration(
            executable: executable, arguments: arguments, environment: .custom(environment), platformOptions: options)
        lifeline = command.containment == nil ? nil : try Lifeline()
    }

    /// The program as it is to be started. A path that a containment is to run may exist only inside.
    private static func locate(_ command: Command, searchPath: String) throws -> String {
        let isPath = command.program.contains("/")
        if isPath, command.containment != nil { return command.program }
        let tool = Tool.allCases.first { $0.names.contains(command.program) }
        let names = isPath ? [command.program] : [command.program] + (tool?.names ?? [])
        if let path = ProgramSearch.find(names, in: searchPath) {
            // Contained, a program keeps the name it was called by, unless it was found under another one.
            return command.containment != nil && path.lastComponent?.string == command.program
                ? command.program : path.string
        }
        throw tool?.missing ?? FactoryError(.unavailable, "the program \(command.program) is not installed")
    }

    /// Runs the program to its end and reaps it. `onStart` gets its process identifier.
    func run(recorder: OutputRecorder, onStart: @escaping @Sendable (Int32) -> Void) async throws -> CommandResult {
        let status: TerminationStatus
        do {
            if let lifeline {
                let input = FileDescriptorInput.fileDescriptor(lifeline.far, closeAfterSpawningProcess: true)
                status = try await run(input: input, recorder: recorder, onStart: onStart)
            } else {
                status = try await run(input: .none, recorder: recorder, onStart: onStart)
            }
        } catch let error as SubprocessError {
            throw FactoryError(.osFailure, "cannot run \(command.name): \(error)")
        }
        return try interpret(status, recorder: recorder)
    }

    private func run(
        input: some InputProtocol, recorder: OutputRecorder, onStart: @escaping @Sendable (Int32) -> Void
    ) async throws -> TerminationStatus {
        let outcome = try await Subprocess.run(configuration, input: input, output: .sequence, error: .sequence) {
            execution in
            onStart(execution.processIdentifier.value)
            async let errors: Void = Self.pump(execution.standardError, .error, to: recorder)
            try await Self.pump(execution.standardOutput, .output, to: recorder)
            try await errors
        }
        return outcome.terminationStatus
    }

    private static func pump(
        _ chunks: SubprocessOutputSequence, _ stream: OutputStream, to recorder: OutputRecorder
    ) async throws {
        for try await chunk in chunks {
            chunk.withUnsafeBytes { recorder.append($0, from: stream) }
        }
        recorder.finish(stream)
    }

    private func interpret(_ status: TerminationStatus, recorder: OutputRecorder) throws -> CommandResult {
        switch status {
        case .signaled(let signal):
            return recorder.result(ending: .signalled(signal))
        case .exited(let code) where command.containment != nil && (129...192).contains(code):
            return recorder.result(ending: .signalled(code - 128))
        case .exited(let code):
            if command.containment != nil, code == 125, let failure = Self.containmentFailure(in: recorder.lastLines) {
                throw failure
            }
            return recorder.result(ending: .exited(code))
        }
    }

    /// The failure that the set-up of a containment reports: `image-factory: containment: MESSAGE (hint: REMEDY)`.
    static func containmentFailure(in lines: [String]) -> FactoryError? {
        let prefix = "image-factory: containment: "
        guard let line = lines.last(where: { $0.hasPrefix(prefix) })?.dropFirst(prefix.count) else { return nil }
        let parts = line.split(separator: " (hint: ", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[1].hasSuffix(")") else { return FactoryError(.osFailure, "containment: \(line)") }
        return FactoryError(.osFailure, "containment: \(parts[0])", remedy: String(parts[1].dropLast()))
    }
}
