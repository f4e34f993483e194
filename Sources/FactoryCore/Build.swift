import DiskFormats
import Engine
import Glibc
package import Model
import Steps
import Store
import Tooling
import Verify
package import SystemPackage

/// What a finished build leaves.
package struct BuildReport: Sendable {
    package struct StepTime: Sendable, Codable {
        package var name: String
        package var id: Digest
        package var reused: Bool
        /// How long it took when it was made.
        package var seconds: Double
        /// When it was made, in seconds since 1970.
        package var made: Double
    }

    /// NAME-VERSION.
    package var name: String
    package var folder: FilePath
    package var artifacts: [Artifact]
    package var steps: [StepTime]
    package var seconds: Double
    package var manifest: FilePath
    /// What `--update-lock` changed; nil without it.
    package var lockChanges: LockChanges?
}

extension Factory {
    /// Builds a definition and publishes its artifacts into the request's output folder. The consumers get every event.
    /// Throws `InvalidInput`, `FactoryError` or `CancellationError`; then nothing is in the folder that was not before.
    package func build(
        _ request: BuildRequest, consumers: [@Sendable (BuildEvent) -> Void]
    ) async throws -> BuildReport {
        let start = clock.now()
        // The definition is read before the store is touched: with a mistake in it, nothing is created.
        return try await answering(request) {
            let loaded = try await loadChecked(request)
            return try await keeping(in: loaded.cacheFolder).build(loaded, request, consumers, since: start)
        }
    }

    private func build(
        _ loaded: LoadedDefinition, _ request: BuildRequest, _ consumers: [@Sendable (BuildEvent) -> Void],
        since start: Double
    ) async throws -> BuildReport {
        let secrets = try SecretLoading.values(of: loaded.definition, environment: environment)
        try WritableFolder.check(
            request.output, "the output folder",
            remedy: "choose another folder by --output, or give your user access to this one")
        try requireTools(loaded.definition)
        let delivery = try Delivery(loaded.definition, request, runner: runner, environment: environment)
        try delivery.requirePrograms()
        let log = try BuildLog(loaded.definition, clock: clock)
        let opened = try await openStore()
        let reused = ReuseKeeper()
        let events = EventLog(
            clock: clock, consumers: consumers + [{ reused.see($0) }] + (log.map { log in [{ log.consume($0) }] } ?? [])
        )
        do {
            // Installations of one name write the same files, and the same log.
            let lock = try await imageLock(loaded.definition, opened, events)
            defer { withExtendedLifetime(lock) {} }
            try log?.open()
            for note in loaded.notes { events.send(.note(message: note)) }
            var prepared = try await prepare(loaded, request, opened, events: events)
            prepared.secrets = secrets
            for warning in prepared.warnings { events.send(.warning(step: nil, message: warning)) }
            try requireTools(prepared.plan)
            try SecretLoading.refuse(secrets, in: prepared.plan)
            try SpaceCheck.check(store: store, output: request.output)
            let signer = try await signer(request.signing ?? loaded.definition.signing, opened)
            let engine = Engine(
                runner: StepExecutor(try stepEnvironment(prepared, opened, secrets: secrets, offline: request.offline)),
                cache: opened,
                clock: clock,
                jobs: request.jobs)
            let results = try await engine.run(prepared.plan, events: events)
            if loaded.definition.showsInstallerLogs { try InstallerLogs.tell(results, events) }
            let report = try await publish(
                prepared, results, reused.names, request, by: signer, opened, since: start)
            try LastPlan.keep(prepared.plan, in: opened)
            try await delivery.deliver(report, events)
            events.send(.ended(outcome: .succeeded, seconds: clock.now() - start))
            return report
        } catch {
            let outcome: BuildEvent.Outcome = error is CancellationError ? .cancelled : .failed
            log?.fail(error)
            events.send(.ended(outcome: outcome, seconds: clock.now() - start))
            throw error
        }
    }

    func stepEnvironment(
        _ prepared: PreparedBuild, _ opened: FolderStore, secrets: [SecretValue], offline: Bool
    ) throws -> StepEnvironment {
        var made = StepEnvironment(
            runner: runner, tools: tools, executable: executable, packages: opened.root.appending("packages"),
            lock: prepared.lock, cache: opened.root, logs: opened.root.appending("logs"),
            mirrors: prepared.mirrors, localFiles: prepared.loaded.localFiles,
            bootLimit: .seconds(Int64(prepared.loaded.definition.bootCheck.limitSeconds)),
            offline: offline, traces: traces(prepared), secrets: secrets)
        made.sources = prepared.sources
        made.guestMirrors = try GuestMirrorRules.rules(environment)
        if case .netinstall(let install) = prepared.loaded.definition.base {
            made.vnc = install.vnc
            made.installLimit = install.limitSeconds.map { .seconds(Int64($0)) }
        }
        made.leaseDomain = {
            let intent = try opened.ledger.libvirtDomain(of: LibvirtDomain.connection)
            return LibvirtLease(domain: LibvirtDomain(name: Ledger.domainName(intent.id))) { intent.settle() }
        }
        return made
    }

    /// Nil for images made of packages: whoever makes the same one waits for its steps.
    private func imageLock(
        _ definition: ImageDefinition, _ opened: FolderStore, _ events: EventLog
    ) async throws -> FileLock? {
        guard case .netinstall = definition.base else { return nil }
        return try await FileLock.wait(opened.root.appending("locks").appending("image-" + definition.name)) {
            events.send(.note(message: "waiting for another build of \(definition.name)"))
        }
    }

    /// What this machine could leave in the image, as far as the image itself does not say it.
    private func traces(_ prepared: PreparedBuild) -> VerifyTraces {
        let own = prepared.plan.steps.flatMap { step -> [String] in
            guard case .verify(let policy) = step.action else { return [] }
            return policy.sources ?? []
        }
        let archives = prepared.mirrors.values.filter { mirror in !own.contains { $0.hasPrefix(mirror) } }
        let proxies = ["http_proxy", "https_proxy"].compactMap { environment[$0] }
        return VerifyTraces(
            hostName: Host.name(), home: environment["HOME"], addresses: Set(archives + proxies).sorted())
    }

    /// What has to be there whatever the plan will be.
    private func requireTools(_ definition: ImageDefinition) throws {
        if definition.uploads.contains(where: { $0.kind == .rsync }) { try tools.require(.rsync) }
        switch definition.base {
        case .bootstrap: break
        case .netinstall(let install):
            for (_, source) in install.medium.sources { try requireTools(for: source) }
            if install.hypervisor == .qemu {
                try tools.require(.qemuSystem)
                if definition.disk.firmware != .bios { try tools.require(.uefiFirmware) }
            }
        case .image(let base):
            if let source = base.input?.source { try requireTools(for: source) }
            if let setup = base.setup { try requireTools(for: setup) }
        }
    }

    private func requireTools(for source: Source) throws {
        switch source.scheme {
        case .http, .https: try tools.require(.curl)
        case .rsync: try tools.require(.rsync)
        case .file: break
        }
    }

    func requireTools(for setup: CloudSetup) throws {
        guard setup.hypervisor == .qemu else { return }
        try tools.require(.qemuSystem)
        try tools.require(.qemuImg)
        if setup.firmware == .uefi { try tools.require(.uefiFirmware) }
    }

    /// What a step at the end needs must be there at the beginning: the versions for the plan say the rest.
    private func requireTools(_ plan: BuildPlan) throws {
        for step in plan.steps {
            if case .verify = step.action { try tools.require(.e2fsck) }
            guard case .bootCheck(let action) = step.action else { continue }
            try tools.require(.qemuSystem)
            try tools.require(.qemuImg)
            if action.firmware == .uefi { try tools.require(.uefiFirmware) }
        }
    }

    /// Nil if nothing is to be signed. What keeps a key from signing is told before the work, not after it.
    private func signer(_ signing: Signing?, _ opened: FolderStore) async throws -> Signer? {
        guard let signing else { return nil }
        let signer = Signer(signing, runner: runner)
        try tools.require(.minisign)
        try await opened.withWorkFolder { try await signer.tryOut(in: $0) }
        return signer
    }

    func publish(
        _ prepared: PreparedBuild, _ results: [String: StepResult], _ reused: Set<String>, _ request: BuildRequest,
        by signer: Signer?, _ opened: FolderStore, since start: Double
    ) async throws -> BuildReport {
        let finished = try prepared.plan.artifacts.map { try FinishedArtifact($0, results) }
        let steps = prepared.plan.steps.compactMap { step in
            results[step.name].map { result in
                BuildReport.StepTime(
                    name: step.name, id: step.id, reused: reused.contains(step.name), seconds: result.record.seconds,
                    made: result.record.made)
            }
        }
        let documents = try Documents(prepared, results, finished.map(\.artifact), steps, request)
        let signatures = try await opened.withWorkFolder { scratch in
            try await signer?.sign(finished, documents.manifest, of: prepared.plan, in: scratch) ?? []
        }
        let publishing = try await Publishing.open(request.output, documents: documents, opened)
        defer { publishing.close() }
        try publishing.requireSpace(for: finished.map { ($0.artifact.file, $0.record) }, from: opened.root)
        for artifact in finished { try await publishing.publish(artifact) }
        for document in documents.all { try publishing.write(document.text, as: document.name) }
        for signature in signatures { try publishing.write(signature.text, as: signature.name) }
        return BuildReport(
            name: "\(prepared.plan.name)-\(prepared.plan.version)", folder: request.output,
            artifacts: finished.map(\.artifact), steps: steps, seconds: clock.now() - start,
            manifest: request.output.appending(documents.manifest.name), lockChanges: prepared.lockChanges)
    }
}

/// Files of results, which the store has checked.
enum StoredFile {
    static func json<Value: Decodable>(_ type: Value.Type, _ path: FilePath) throws -> Value {
        do {
            return try Canonical.decode(type, from: try DurableFile.read(path))
        } catch {
            throw FileFailure.error(error, "read", path)
        }
    }
}

/// Remembers which steps were reused.
private final class ReuseKeeper: Sendable {
    private let kept = LockedSet()

    func see(_ event: BuildEvent) {
        if case .finished(let step, .reused, _) = event.kind { kept.insert(step) }
    }

    var names: Set<String> { kept.all }
}
