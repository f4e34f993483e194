/// What happens in a build, in order. Terminal, log files and services show this one stream; nothing else prints.
package struct BuildEvent: Sendable, Codable {
    /// From 1, without gaps.
    package var number: Int
    /// Seconds since 1970, from the build's clock.
    package var time: Double
    package var kind: Kind

    package init(number: Int, time: Double, kind: Kind) {
        self.number = number
        self.time = time
        self.kind = kind
    }

    package enum Outcome: String, Sendable, Codable {
        case succeeded
        case reused
        case failed
        case cancelled
    }

    /// A step as it is announced: its name is unique in the build.
    package struct StepSummary: Sendable, Codable {
        package var name: String
        package var title: String

        package init(name: String, title: String) {
            self.name = name
            self.title = title
        }
    }

    package enum Kind: Sendable, Codable {
        case planned(steps: [StepSummary])
        case started(step: String, activity: String)
        /// `total` is nil while it is not known. Bytes where `unit` is nil.
        case progress(step: String, done: UInt64, total: UInt64?, unit: String?)
        /// One line of a step's log, without control characters.
        case log(step: String, line: String)
        case warning(step: String?, message: String)
        /// What the person who asked for the build should know, in one line.
        case note(message: String)
        case finished(step: String, outcome: Outcome, seconds: Double)
        case ended(outcome: Outcome, seconds: Double)
    }
}
