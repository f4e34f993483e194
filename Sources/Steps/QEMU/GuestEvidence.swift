import Glibc
import Model
import SystemPackage

/// What helps to understand why a guest failed, in a folder.
struct GuestEvidence {
    static let screen = "screen.png"
    static let lastLines = "last-lines.txt"

    let folder: FilePath
    /// Begins the message of the failure.
    let subject: String

    /// Saves the last lines of the console and the screen, and says where.
    func failure(_ cause: GuestSession.Failure, lines: [String], picture: [UInt8]?) -> GuestFailure {
        for name in [Self.screen, Self.lastLines] { unlink(folder.appending(name).string) }
        if let picture { try? SmallFile.create(folder.appending(Self.screen), picture) }
        try? SmallFile.create(
            folder.appending(Self.lastLines), Array(lines.map { $0 + "\n" }.joined().utf8))
        let look = "look at its last lines and its screen in \(folder)"
        let error = FactoryError(
            .failed, "\(subject) failed: \(cause.reason)", remedy: cause.remedy.map { "\($0); \(look)" } ?? look,
            log: folder.appending(VirtualMachine.serialLog).string)
        return GuestFailure(reason: cause.reason, accuses: cause.accuses, error: error)
    }
}
