package import Model
package import SystemPackage
package import Tooling

/// What steps need to know of this machine and this run. Nothing here is part of a step's identity.
package struct StepEnvironment: Sendable {
    package var runner: any CommandRunning
    package var tools: ToolInventory
    /// The program itself, which is also what runs inside a containment.
    package var executable: FilePath
    /// The store's folder of downloaded packages.
    package var packages: FilePath
    /// The packages to install; nil for plans without a bootstrap.
    package var lock: PackageLock?
    /// Where the accelerator's verdict and other facts of the machine are kept.
    package var cache: FilePath
    /// Where failed boots leave their screenshot.
    package var logs: FilePath
    /// The archive to download from, by archive id.
    package var mirrors: [String: String]
    /// Local input files by digest.
    package var localFiles: [Digest: FilePath]
    package var bootLimit: Duration
    /// Packages come from the cache only.
    package var offline: Bool

    package init(
        runner: any CommandRunning, tools: ToolInventory, executable: FilePath, packages: FilePath,
        lock: PackageLock?,
        cache: FilePath,
        logs: FilePath, mirrors: [String: String], localFiles: [Digest: FilePath], bootLimit: Duration,
        offline: Bool = false
    ) {
        self.tools = tools
        self.runner = runner
        self.executable = executable
        self.packages = packages
        self.lock = lock
        self.cache = cache
        self.logs = logs
        self.mirrors = mirrors
        self.localFiles = localFiles
        self.bootLimit = bootLimit
        self.offline = offline
    }
}
