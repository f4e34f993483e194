import Glibc
import Model
import Store
import Synchronization
import SystemPackage

/// The log of a build in a file, in the form of image-factory 1.0.2: `2026-11-21 10:06:22,123 image-factory [42] INFO: …`.
/// Once it is open, a log that cannot be written fails no build.
final class BuildLog: Sendable {
    private enum Level: String {
        case info = "INFO"
        case warning = "WARNING"
        case error = "ERROR"
    }

    private let path: FilePath
    private let clock: WallClock
    private let process: Int32
    private let descriptor = Mutex<FileDescriptor?>(nil)

    /// - Parameter path: from where the build was asked for. Nothing is made yet.
    init(_ path: FilePath, clock: WallClock, process: Int32 = getpid()) throws {
        self.path = path
        self.clock = clock
        self.process = process
        let folder = path.removingLastComponent()
        let remedy = "choose another file by log-filename, or make the folder"
        guard access(folder.isEmpty ? "." : folder.string, F_OK) == 0 else {
            throw FactoryError(.cannotCreate, "there is no folder \(folder) for the log", remedy: remedy)
        }
        try WritableFolder.check(folder, "the folder of the log", remedy: remedy)
    }

    /// Nil if the definition asks for no log.
    convenience init?(_ definition: ImageDefinition, clock: WallClock) throws {
        guard case .netinstall(let install) = definition.base, let file = install.logFile else { return nil }
        try self.init(FilePath(file), clock: clock)
    }

    deinit { descriptor.withLock { try? $0?.close() } }

    /// Replaces a file of that name. What is told before is in no file.
    func open() throws {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            descriptor.withLock { $0 = file }
        } catch {
            throw FileFailure.error(error, "write the log", path)
        }
    }

    /// What programs print is no part of the log, as ever.
    func consume(_ event: BuildEvent) {
        switch event.kind {
        case .started(let step, let activity): write(.info, "\(step): \(activity)", event.time)
        case .finished(let step, let outcome, _): write(.info, "\(step): \(outcome.rawValue)", event.time)
        case .warning(let step, let message):
            write(.warning, (step.map { "\($0): " } ?? "") + message, event.time)
        case .note(let message): write(.info, message, event.time)
        case .planned, .progress, .log, .ended: break
        }
    }

    func fail(_ error: any Error) {
        switch error {
        case is CancellationError: write(.error, "User abort.", clock.now())
        case let invalid as InvalidInput:
            for diagnostic in invalid.diagnostics { write(.error, diagnostic.description, clock.now()) }
        case let error as FactoryError: write(.error, error.message, clock.now())
        default: write(.error, "\(error)", clock.now())
        }
    }

    private func write(_ level: Level, _ message: String, _ time: Double) {
        let line = "\(LocalDate.time(time)) image-factory [\(process)] \(level.rawValue): \(message)\n"
        descriptor.withLock { _ = try? $0?.writeAll(Array(line.utf8)) }
    }
}
