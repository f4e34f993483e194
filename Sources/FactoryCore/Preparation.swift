import DiskFormats
import Engine
package import Model
import Planning
import Steps
import Store
package import SystemPackage
import Tooling
import Transfer

/// A definition with everything that was found out for it before a build.
package struct PreparedBuild: Sendable {
    package var loaded: LoadedDefinition
    package var plan: BuildPlan
    package var mirrors: [String: String] = [:]
    package var tools: [String: String]
    package var warnings: [String]
    /// Nil for bases that are not made of packages.
    package var lock: PackageLock?
    /// What `--update-lock` changed.
    package var lockChanges: LockChanges?
    /// What was fetched, by digest.
    package var sources: [Digest: FilePath] = [:]
    /// What no document must tell.
    var secrets: [SecretValue] = []
    /// Keeps prune away from what the build will read.
    var leases: [any Sendable] = []
}

extension Factory {
    /// Reads the definition, finds out what it depends on, and plans. Nothing is built.
    package func prepare(_ request: BuildRequest) async throws -> PreparedBuild {
        try await answering(request) {
            let loaded = try await loadChecked(request)
            let factory = keeping(in: loaded.cacheFolder)
            return try await factory.prepare(loaded, request, try await factory.openStore())
        }
    }

    /// - Parameter events: gets the progress of what is fetched; nil: nobody wants it.
    func prepare(
        _ loaded: LoadedDefinition, _ request: BuildRequest, _ opened: FolderStore, events: EventLog? = nil
    ) async throws -> PreparedBuild {
        switch loaded.definition.base {
        case .bootstrap(let base): try await prepare(base, loaded, request, opened)
        case .netinstall(let install): try await prepare(install, loaded, request, opened, events)
        case .image(let base): try await prepare(base, loaded, request, opened, events)
        }
    }

    /// What an installation starts from is fetched: its digest is part of the plan.
    private func prepare(
        _ install: Netinstall, _ loaded: LoadedDefinition, _ request: BuildRequest, _ opened: FolderStore,
        _ events: EventLog?
    ) async throws -> PreparedBuild {
        let tools = try await toolVersions(loaded.definition, HostFacts(opened.root.appending("host-facts.json")))
        let fetched = try await SourceFetching(self, opened, offline: request.offline, events: events).fetch(install)
        return try prepared(loaded, fetched, tools)
    }

    /// The same of an image that another one is made of.
    private func prepare(
        _ base: ImageBase, _ loaded: LoadedDefinition, _ request: BuildRequest, _ opened: FolderStore,
        _ events: EventLog?
    ) async throws -> PreparedBuild {
        let tools = try await toolVersions(loaded.definition, HostFacts(opened.root.appending("host-facts.json")))
        let fetched = try await SourceFetching(self, opened, offline: request.offline, events: events).fetch(base)
        var prepared = try prepared(loaded, fetched, tools)
        for file in base.setup?.files ?? [] {
            prepared.warnings += try await file.warnings(runner: runner).map(\.description)
        }
        return prepared
    }

    private func prepared(
        _ loaded: LoadedDefinition, _ fetched: [Source: FetchedSource], _ tools: [String: String]
    ) throws -> PreparedBuild {
        let planning = PlanningFacts(
            tools: tools, sources: fetched.mapValues(\.digest), day: loaded.day)
        return PreparedBuild(
            loaded: loaded, plan: try Planner.plan(loaded.definition, facts: planning), tools: tools,
            warnings: loaded.warnings.map(\.description),
            sources: Dictionary(fetched.values.map { ($0.digest, $0.path) }) { first, _ in first },
            leases: fetched.values.compactMap(\.lease))
    }

    private func prepare(
        _ base: Bootstrap, _ loaded: LoadedDefinition, _ request: BuildRequest, _ opened: FolderStore
    ) async throws -> PreparedBuild {
        let definition = loaded.definition
        let facts = HostFacts(opened.root.appending("host-facts.json"))
        async let versions = toolVersions(definition, facts)
        let mirrors = try await self.mirrors(for: definition, base, facts)
        let file = LockFile(definition, at: request.definition.path)
        if request.lock != .none { try file.requirePlace(beside: request.definition.path) }
        let tools = try await versions
        let chosen = try await packages(definition, base, request, file, mirrors, tools, opened)
        let planning = PlanningFacts(lock: chosen.lock, tools: tools, epoch: try epoch())
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
            leases: [try await opened.use("packages")].compactMap { $0 })
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
        _ definition: ImageDefinition, _ base: Bootstrap, _ request: BuildRequest, _ file: LockFile,
        _ mirrors: [String: String], _ tools: [String: String], _ opened: FolderStore
    ) async throws -> (lock: PackageLock, warnings: [String]) {
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release)
        else {
            throw FactoryError(.definition, "unknown release \(definition.os.distribution) \(definition.os.release)")
        }
        var wanted = PackageResolver.Request(
            distribution: distribution.name, suite: release.codename, architecture: definition.os.architecture,
            components: base.components, releases: [], packages: distribution.packages(for: definition))
        if request.lock == .locked {
            let lock = try file.read()
            try file.check(lock, fits: wanted)
            return (lock, [])
        }
        let (releases, warnings) = try await releases(for: definition, base, mirrors, opened, offline: request.offline)
        wanted.releases = releases
        let lease = try await opened.use("releases", ReleaseSnapshot.name(of: releases, base.components))
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
    private func mirrors(
        for definition: ImageDefinition, _ base: Bootstrap, _ facts: HostFacts
    ) async throws -> [String: String] {
        guard let distribution = Distribution.named(definition.os.distribution) else { return [:] }
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
        for definition: ImageDefinition, _ base: Bootstrap, _ mirrors: [String: String], _ opened: FolderStore,
        offline: Bool
    ) async throws -> ([SuiteRelease], [String]) {
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release)
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

    func toolVersions(_ definition: ImageDefinition, _ facts: HostFacts) async throws -> [String: String] {
        try await withThrowingTaskGroup(of: (String, String).self) { group in
            for name in Planner.tools(for: definition) {
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
