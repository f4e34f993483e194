package import Model
package import SystemPackage
package import Tooling
package import Verify

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
    /// Downloaded inputs by digest: kernels, initrds, installation and base images.
    package var sources: [Digest: FilePath] = [:]
    /// How long an installation may take; nil: as long as the accelerator makes it reasonable.
    package var installLimit: Duration?
    /// All clocks of an installation, in place of those.
    package var installClocks: GuestClocks?
    /// How long cloud-init may take to set an image up; nil: half an hour, without KVM six times that.
    package var setupClocks: GuestClocks?
    /// How long a guest that is up may take until it is clear that its cloud-init does not read the seed; nil: as long as
    /// the accelerator makes it reasonable.
    package var setupPatience: Duration?
    /// Where people reach the monitor of a machine that is set up.
    package var monitorSocket: MonitorSocket?
    /// Whether the disk of a guest that could not be set up is kept beside the other evidence.
    package var keepsFailed = false
    /// Where a copy of what the guest that is set up writes to its console goes.
    package var consoleCopy: FilePath?
    /// How a machine of libvirt is made in which an image is set up.
    package var libvirtMachine = LibvirtMachine()
    /// A display of an installing machine that one can look at.
    package var vnc: VNCDisplay?
    /// Where an installing guest's requests really go, before the mirrors that the host's own apt uses.
    package var guestMirrors: [MirrorRule] = []
    /// Writes down the name of a libvirt machine that is about to be made; nil: nobody does.
    package var leaseDomain: (@Sendable () throws -> LibvirtLease)?
    /// Packages come from the cache only.
    package var offline: Bool
    /// What this machine could leave in an image.
    package var traces: VerifyTraces
    /// The secrets of the definition: never shown, kept or given to a plan.
    package var secrets: [SecretValue]

    package init(
        runner: any CommandRunning, tools: ToolInventory, executable: FilePath, packages: FilePath,
        lock: PackageLock?,
        cache: FilePath,
        logs: FilePath, mirrors: [String: String], localFiles: [Digest: FilePath], bootLimit: Duration,
        offline: Bool = false, traces: VerifyTraces = VerifyTraces(), secrets: [SecretValue] = []
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
        self.traces = traces
        self.secrets = secrets
    }

    /// The values of secrets that a step names.
    func secrets(named names: [String]) throws -> [SecretValue] {
        try names.map { name in
            guard let secret = secrets.first(where: { $0.name == name }) else {
                throw FactoryError(.internal, "the secret '\(name)' is not known")
            }
            return secret
        }
    }
}

extension GuestClocks {
    /// For a setup that somebody gave a time: within it, as patient as the emulation needs it, which may take KVM's place.
    package static func setup(within total: Duration) -> GuestClocks {
        GuestClocks(total: total, noProgress: .seconds(1200), shutdownGrace: .seconds(360))
    }
}
