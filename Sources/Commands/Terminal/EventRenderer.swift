import Glibc
package import Model

/// Shows the events of a build to somebody: a person at a terminal, a log file, a program.
package protocol EventRenderer: Sendable {
    /// Takes the next event. It is called under the event log's lock, in order, from any thread: it must be quick.
    func consume(_ event: BuildEvent)

    /// Says that the build was asked to stop and that its steps are being ended.
    func stopping()

    /// Shows what is still to be shown and gives the terminal back. May be called more than once.
    func finish()
}

extension EventRenderer {
    package func stopping() {}
}

/// How much a person wants to see.
package enum Verbosity: Sendable {
    /// Warnings and failures.
    case quiet
    case normal
    /// Every log line too.
    case verbose
}

/// How a build is shown.
package enum ProgressStyle: String, Sendable, CaseIterable {
    /// Live on a terminal, plain elsewhere.
    case automatic = "auto"
    case plain
    /// On standard output, for programs.
    case json

    /// The renderer for standard error (JSON: standard output) of this process.
    /// - Parameter clock: the clock that stamps the events.
    package func renderer(verbosity: Verbosity, clock: WallClock) -> any EventRenderer {
        let traits = TerminalTraits(descriptor: STDERR_FILENO)
        switch self {
        case .json: return JSONRenderer()
        case .automatic where traits.canRedraw:
            return LiveRenderer(traits: traits, verbosity: verbosity, clock: clock)
        case .automatic, .plain: return PlainRenderer(traits: traits, verbosity: verbosity)
        }
    }
}
