package import Model
package import SystemPackage

/// The finished work of a step: a folder of read-only files.
package struct StepResult: Sendable {
    package var folder: FilePath
    package var record: StepRecord
    /// Keeps the result from being removed for as long as this value lives.
    package var lease: (any Sendable)?

    package init(folder: FilePath, record: StepRecord, lease: (any Sendable)? = nil) {
        self.folder = folder
        self.record = record
        self.lease = lease
    }
}

/// What the store keeps about a result.
package struct StepRecord: Sendable, Codable {
    package var id: Digest
    package var name: String
    /// When it was made, in seconds since 1970, and how long it took.
    package var made: Double
    package var seconds: Double
    /// What the result consists of; the cache fills it in.
    package var files: [File] = []

    package struct File: Sendable, Codable {
        package var name: String
        package var size: UInt64
        package var digest: Digest

        package init(name: String, size: UInt64, digest: Digest) {
            self.name = name
            self.size = size
            self.digest = digest
        }
    }

    package init(id: Digest, name: String, made: Double, seconds: Double) {
        self.id = id
        self.name = name
        self.made = made
        self.seconds = seconds
    }
}

/// A result under construction. It holds the step's lock until it is committed or discarded.
package protocol PendingResult: Sendable {
    var output: FilePath { get }
    var scratch: FilePath { get }

    /// Where the step's log is written.
    var log: FilePath { get }

    /// Makes the output the step's result: durable, read-only, visible all at once. If that fails, the caller
    /// discards it.
    func commit(_ record: StepRecord) async throws -> StepResult

    /// Removes everything but the log.
    func discard() async
}

/// The cache protocol: results by step id. A lookup either finds a whole result or nothing.
package protocol ResultCache: Sendable {
    func lookup(_ id: Digest) async throws -> StepResult?

    /// Takes the lock of a step, waiting for another process that is making the same result; then the result may be
    /// there, and is returned instead.
    func begin(_ step: Step, waiting: @Sendable () -> Void) async throws -> BeginOutcome
}

package enum BeginOutcome: Sendable {
    case found(StepResult)
    case mine(any PendingResult)
}
