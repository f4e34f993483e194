import ArgumentParser
import Glibc
import FactoryCore

/// Dispatches the program's names and its helper modes.
package enum ImageFactoryMain {
    package static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "__inside", arguments.count == 2 {
            exit(await Host.runInside(arguments[1]))
        }
        // Writing to a pipe that nobody reads is an error to handle, not an end.
        signal(SIGPIPE, SIG_IGN)
        await ImageFactory.main(arguments)
    }
}
