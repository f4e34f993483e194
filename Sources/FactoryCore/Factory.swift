import Glibc
package import Model
import Steps
import Store
package import SystemPackage
package import Tooling

/// What a person or a service asks of the program; each use case is an extension.
package struct Factory: Sendable {
    package var store: FilePath
    package var runner: any CommandRunning
    package var tools: ToolInventory
    /// The program itself.
    package var executable: FilePath
    package var clock: WallClock
    package var environment: [String: String]

    package init(
        store: FilePath, runner: any CommandRunning, tools: ToolInventory, executable: FilePath, clock: WallClock,
        environment: [String: String]
    ) {
        self.store = store
        self.runner = runner
        self.tools = tools
        self.executable = executable
        self.clock = clock
        self.environment = environment
    }

    /// The same with the store in another folder, where a definition names one.
    package func keeping(in folder: FilePath?) -> Factory {
        var copy = self
        copy.store = folder ?? store
        return copy
    }

    /// Opens the store, made if need be, after what killed builds left in it is removed.
    func openStore() async throws -> FolderStore {
        let runner = runner
        try WritableFolder.check(
            store, "the store", remedy: "set XDG_CACHE_HOME to a folder that your user can write")
        let opened = try storeFolder(runner)
        await opened.reap()
        return opened
    }

    /// The store as it stands.
    func storeFolder(_ runner: any CommandRunning) throws -> FolderStore {
        try FolderStore(
            store, digest: { try await FileDigest.compute($0) },
            removeForeign: { folder in
                // In a task of its own: a build that was cancelled cleans up too.
                await Task.detached { await ForeignTree.remove(folder, runner: runner) }.value
            },
            releaseDomain: { connection, name in
                switch await LibvirtDomain(connection: connection, name: name).release(by: runner) {
                case .released: .released
                case .unknown: .unknown
                case .failed: .failed
                }
            })
    }
}

/// How a build is asked for.
package struct BuildRequest: Sendable {
    package var definition: DefinitionSource
    package var set: [(String, String)]
    package var output: FilePath
    package var offline: Bool
    package var lock: LockUse
    package var jobs: Int
    /// In place of what the definition says.
    package var signing: Signing?

    package init(
        definition: DefinitionSource, set: [(String, String)] = [], output: FilePath = ".", offline: Bool = false,
        lock: LockUse = .none, jobs: Int = 2, signing: Signing? = nil
    ) {
        self.definition = definition
        self.set = set
        self.output = output
        self.offline = offline
        self.lock = lock
        self.jobs = jobs
        self.signing = signing
    }
}

/// Removes trees whose files belong to mapped ids, by the same ids.
enum ForeignTree {
    static func remove(_ folder: FilePath, runner: any CommandRunning) async {
        let containment = Containment(
            identities: .range, network: .none, workSize: .mebi(16),
            binds: [.init(source: folder, target: "/mnt/folder", writable: true)])
        for name in ["out", "scratch"] {
            _ = try? await runner.run(
                Command("rm", ["-rf", "--one-file-system", "/mnt/folder/\(name)"], containment: containment),
                onLine: { _, _ in })
        }
    }
}

/// Dates as people read them.
package enum UTCDate {
    /// `2026-11-21` of seconds since 1970.
    static func day(_ seconds: UInt64) -> String { String(minute(Double(seconds)).prefix(10)) }

    /// `2026-11-21 07:30` of seconds since 1970.
    package static func minute(_ seconds: Double) -> String {
        // Years of four digits are all that is shown, whatever a file says.
        var time = time_t(max(0, min(seconds, 253_402_300_799)))
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min))"
    }
}
