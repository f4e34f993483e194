import Glibc
package import Model
import Steps
package import SystemPackage
import Tooling

/// This machine and this process, as the use cases want them.
package enum Host {
    package static func factory() throws -> Factory {
        let environment = environment()
        let executable = try executable()
        let runner = CommandRunner(helper: executable)
        return Factory(
            store: try FactoryFolders.store(environment: environment, userID: geteuid()), runner: runner,
            tools: ToolInventory(runner: runner), executable: executable, clock: clock, environment: environment)
    }

    package static let clock = WallClock {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// This machine's name, nil if it has none.
    static func name() -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? nil : name
    }

    static func environment() -> [String: String] {
        var values: [String: String] = [:]
        var at = environ
        while let entry = at.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
            at += 1
        }
        return values
    }

    /// The entry of the helper mode `__inside ORDER`, which a step starts in a containment. Returns the exit status.
    package static func runInside(_ order: String) async -> Int32 {
        await InsideMain.run(order, runner: CommandRunner(helper: "/proc/self/exe"))
    }

    /// This program's own file.
    package static func executable() throws -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw FactoryError(.osFailure, "cannot find the program's own file") }
        return FilePath(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
