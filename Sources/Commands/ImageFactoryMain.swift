import ArgumentParser
import FactoryCore
import Glibc

/// Dispatches the program's names and its helper modes.
package enum ImageFactoryMain {
    /// Does not return. It is not `async`: an asynchronous entry may start threads before the helper mode
    /// `__contain` had its turn, and a process with threads cannot enter a user namespace.
    package static func main() -> Never {
        // Writing to a pipe that nobody reads is an error to handle, not an end.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let called = CommandLine.arguments.first?.split(separator: "/").last.map(String.init)
        if called == SudoHelper.name { SudoHelper.main(arguments) }
        Task {
            if arguments.first == "__inside", arguments.count == 2 { exit(await Host.runInside(arguments[1])) }
            if let name = CommandLine.arguments.first, let command = ForeignCommands.named(name) {
                exit(await command.run(arguments))
            }
            await run(arguments)
            exit(0)
        }
        while true { pause() }
    }

    private static func run(_ arguments: [String]) async {
        let outcome = NetinstallCommandLine.read(
            arguments, subcommands: ImageFactory.configuration.subcommands.map { $0._commandName },
            image: getenv("IMAGE").map { String(cString: $0) }, isPath: DefinitionLoading.isPath)
        switch outcome {
        case .arguments(let arguments): await ImageFactory.main(arguments)
        case .wrong(let text):
            _ = TextOutput(descriptor: STDERR_FILENO).write(text)
            exit(NetinstallCommandLine.exitStatus)
        }
    }
}
