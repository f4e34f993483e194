import Engine
import Model
import Store
import SystemPackage

/// The logs that an installer has left in an image, where they are asked for.
enum InstallerLogs {
    /// Enough for any installer; a hostile image may have more.
    private static let largest = 16 << 20

    static func tell(_ results: [String: StepResult], _ events: EventLog) throws {
        guard let path = results["seal"]?.folder.appending("installer-logs.txt") else { return }
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: largest) } catch { throw FileFailure.error(error, "read", path) }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            events.send(.note(message: String(line)))
        }
    }
}
