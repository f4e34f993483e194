/// A failure that a user sees: one line that says what failed and which one, and what to do about it.
package struct FactoryError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, and with it the exit status (sysexits.h where it has one).
    package enum Code: Int32, Sendable, Codable {
        case failed = 1
        case usage = 64
        case definition = 65
        case missingInput = 66
        case unavailable = 69
        case `internal` = 70
        case osFailure = 71
        case cannotCreate = 73
        case inputOutput = 74
        case configuration = 78
    }

    package var code: Code
    /// What failed, in one line.
    package var message: String
    /// One imperative sentence.
    package var remedy: String?
    /// What was being done: "bootstrapping Debian 13".
    package var activity: String?
    /// Where the whole log lies.
    package var log: String?
    /// The exit status in place of the code's: that of a program which was run in the user's name.
    package var status: Int32?

    package init(
        _ code: Code, _ message: String, remedy: String? = nil, activity: String? = nil, log: String? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.activity = activity
        self.log = log
    }

    package var description: String { message }

    /// The same failure with the activity during which it came, if it has none yet.
    package func during(_ activity: String) -> FactoryError {
        var copy = self
        copy.activity = self.activity ?? activity
        return copy
    }
}
