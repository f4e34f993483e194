import Engine
import Model
import Synchronization
import SystemPackage

/// Tells the lines of a guest's console as a step's log, and copies its bytes to where somebody wants them, up to a limit:
/// a guest is not to fill the host's disk.
final class SetupConsole: Sendable {
    private let console: InstallerConsole
    private let copy: FileDescriptor?
    private let room: Mutex<Int>

    /// Makes the copy's file anew. Throws where it cannot be made.
    init(_ report: StepReport, copy path: FilePath?, limit: Int = 64 << 20) throws {
        console = InstallerConsole(report)
        room = Mutex(limit)
        do {
            copy = try path.map {
                try FileDescriptor.open(
                    $0, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
            }
        } catch {
            throw FileFailure.error(error, "write", path ?? "", code: .cannotCreate)
        }
    }

    deinit { try? copy?.close() }

    func append(_ bytes: [UInt8]) {
        // A copy that cannot be written is no reason to end the guest.
        room.withLock { room in
            guard room > 0 else { return }
            _ = try? copy?.writeAll(bytes.prefix(room))
            room -= min(room, bytes.count)
        }
        console.appendConsole(bytes)
    }

    /// A line of the program that runs the machine.
    func note(_ line: String) { console.note(line) }
}
