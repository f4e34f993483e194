import DiskFormats
import Engine
import Glibc
package import Model
import Planning
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
            releaseDomain: { await LibvirtDomain(connection: $0, name: $1).release(by: runner) })
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

/// A definition with everything that was found out for it before a build.
package struct PreparedBuild: Sendable {
    package var loaded: LoadedDefinition
    package var plan: BuildPlan
    package var mirrors: [String: String]
    package var tools: [String: String]
    package var warnings: [String]
    package var lock: PackageLock
    /// What `--update-lock` changed.
    package var lockChanges: LockChanges?
    /// What no document must tell.
    var secrets: [SecretValue] = []
    /// Keeps prune away from what the build will read.
    var leases: [any Sendable] = []
}

extension Factory {
    /// Reads the definition, asks the mirrors for the suites' releases, and plans. Nothing is built.
    package func prepare(_ request: BuildRequest) async throws -> PreparedBuild {
        let loaded = try load(request)
        let opened = try await openStore()
        return try await prepare(loaded, request, opened)
    }

    func prepare(
        _ loaded: LoadedDefinition, _ request: BuildRequest, _ opened: FolderStore
    ) async throws -> PreparedBuild {
        let definition = loaded.definition
        let facts = HostFacts(opened.root.appending("host-facts.json"))
        async let versions = toolVersions(facts)
        let mirrors = try await self.mirrors(for: definition, facts)
        let file = LockFile(definition, at: request.definition.path)
        if request.lock != .none { try file.requirePlace(beside: request.definition.path) }
        let tools = try await versions
        let chosen = try await packages(definition, request, file, mirrors, tools, opened)
        let planning = PlanningFacts(
            lock: chosen.lock, tools: tools, epoch: try epoch())
        let plan = try Planner.plan(definition, facts: planning)
        try SecretLoading.refuse(SecretLoading.inlineValues(of: definition), in: plan)
        var changes: LockChanges?
        if request.lock == .update {
            changes = LockChanges(from: try? file.read(), to: chosen.lock)
            try file.write(chosen.lock)
        }
        return PreparedBuild(
            loaded: loaded, plan: plan, mirrors: mirrors, tools: tools,
            warnings: chosen.warnings + loaded.warnings.map(\.description), lock: chosen.lock, lockChanges: changes,
            leases: [opened.use("packages")].compactMap { $0 })
    }

    /// SOURCE_DATE_EPOCH, which must be a time that all filesystems can have; nil without it.
    private func epoch() throws -> UInt64? {
        guard let text = environment["SOURCE_DATE_EPOCH"], !text.isEmpty else { return nil }
        guard let seconds = UInt64(text), seconds <= PackageLock.latest else {
            throw FactoryError(
                .configuration,
                "SOURCE_DATE_EPOCH is '\(text)', which is no number of seconds up to \(PackageLock.latest)",
                remedy: "unset it, or set it to seconds since 1970: date +%s")
        }
        return seconds
    }

    /// The packages of the tree: those of the lock file, or chosen from the suites as they stand now.
    private func packages(
        _ definition: ImageDefinition, _ request: BuildRequest, _ file: LockFile, _ mirrors: [String: String],
        _ tools: [String: String], _ opened: FolderStore
    ) async throws -> (lock: PackageLock, warnings: [String]) {
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release), case .bootstrap(let base) = definition.base
        else { throw FactoryError(.internal, "this base has no packages") }
        var wanted = PackageResolver.Request(
            distribution: distribution.name, suite: release.codename, architecture: definition.os.architecture,
            components: base.components, releases: [], packages: distribution.packages(for: definition))
        if request.lock == .locked {
            let lock = try file.read()
            try file.check(lock, fits: wanted)
            return (lock, [])
        }
        let (releases, warnings) = try await releases(for: definition, mirrors, opened, offline: request.offline)
        wanted.releases = releases
        let lease = opened.use("releases", ReleaseSnapshot.name(of: releases, base.components))
        defer { withExtendedLifetime(lease) {} }
        let resolver = PackageResolver(runner: runner, releases: opened.root.appending("releases"))
        let kept = KeptResolutions(opened)
        return (
            try await kept.lock(wanted, apt: tools["apt-get"] ?? "") { scratch in
                try await resolver.resolve(wanted, scratch: scratch)
            }, warnings
        )
    }

    /// The archives to download from: the definition's, else the host's own, else the distribution's public ones.
    private func mirrors(for definition: ImageDefinition, _ facts: HostFacts) async throws -> [String: String] {
        guard let distribution = Distribution.named(definition.os.distribution),
            case .bootstrap(let base) = definition.base
        else { return [:] }
        let host = try await facts.value("archives", of: HostMirrors.sources) {
            await HostMirrors.lines(runner: runner)
        }
        var mirrors: [String: String] = [:]
        for archive in distribution.archives {
            let own = archive.id == "security" ? base.securityMirror : base.mirror
            if let own {
                mirrors[archive.id] = own
            } else {
                mirrors[archive.id] =
                    HostMirrors.choose(
                        host, origin: distribution.origin, label: archive.label, pathSuffix: archive.pathSuffix)
                    ?? archive.publicURI
            }
        }
        return mirrors
    }

    private func releases(
        for definition: ImageDefinition, _ mirrors: [String: String], _ opened: FolderStore, offline: Bool
    ) async throws -> ([SuiteRelease], [String]) {
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release), case .bootstrap(let base) = definition.base
        else { return ([], []) }
        let request = ReleaseRequest(
            suites: release.suites.map { .init(archive: $0.archive, name: $0.name) }, components: base.components,
            architecture: definition.os.architecture, keyring: FilePath(base.keyring ?? distribution.keyring),
            keyringPackage: distribution.keyringPackage, mirrors: mirrors)
        let resolver = ReleaseResolver(
            runner: runner, apt: opened.root.appending("apt"), releases: opened.root.appending("releases"))
        let lock = try await FileLock.wait(resolver.lock(for: request)) {}
        defer { _ = lock }
        let found = try await resolver.resolve(request, offline: offline)
        var warnings: [String] = []
        if offline, let newest = found.map(\.date).max() {
            warnings.append("offline: the package lists are those of \(UTCDate.day(newest))")
        }
        return (found, warnings)
    }

    private func toolVersions(_ facts: HostFacts) async throws -> [String: String] {
        try await withThrowingTaskGroup(of: (String, String).self) { group in
            for name in Planner.tools {
                guard let tool = Tool(rawValue: name) else {
                    throw FactoryError(.internal, "the tool '\(name)' is not in the inventory")
                }
                let files = try tools.require(tool)
                group.addTask {
                    (name, try await facts.value("version of " + name, of: files) { try await tools.version(of: tool) })
                }
            }
            var versions = [Planner.builder: ImageFactoryVersion.current]
            for (compression, library) in Planner.libraries {
                versions[library] = ClusterCompression(rawValue: compression.rawValue)?.libraryVersion
            }
            for try await (name, version) in group { versions[name] = version }
            return versions
        }
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
