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
        let loaded = try load(request)
        let secrets = try SecretLoading.values(of: loaded.definition, environment: environment)
        try WritableFolder.check(
            request.output, "the output folder",
            remedy: "choose another folder by --output, or give your user access to this one")
        let opened = try await openStore()
        let reused = ReuseKeeper()
        let events = EventLog(clock: clock, consumers: consumers + [{ reused.see($0) }])
        do {
            var prepared = try await prepare(loaded, request, opened)
            prepared.secrets = secrets
            for warning in prepared.warnings { events.send(.warning(step: nil, message: warning)) }
            try requireTools(prepared.plan)
            try SecretLoading.refuse(secrets, in: prepared.plan)
            try SpaceCheck.check(store: store, output: request.output)
            let signer = try await signer(request.signing ?? loaded.definition.signing, opened)
            let engine = Engine(
                runner: StepExecutor(stepEnvironment(prepared, opened, secrets: secrets, offline: request.offline)),
                cache: opened,
                clock: clock,
                jobs: request.jobs)
            let results = try await engine.run(prepared.plan, events: events)
            let report = try await publish(
                prepared, results, reused.names, request, by: signer, opened, since: start)
            try LastPlan.keep(prepared.plan, in: opened)
            events.send(.ended(outcome: .succeeded, seconds: clock.now() - start))
            return report
        } catch {
            let outcome: BuildEvent.Outcome = error is CancellationError ? .cancelled : .failed
            events.send(.ended(outcome: outcome, seconds: clock.now() - start))
            throw error
        }
    }

    func stepEnvironment(
        _ prepared: PreparedBuild, _ opened: FolderStore, secrets: [SecretValue], offline: Bool
    ) -> StepEnvironment {
        var environment = StepEnvironment(
            runner: runner, tools: tools, executable: executable, packages: opened.root.appending("packages"),
            lock: prepared.lock, cache: opened.root, logs: opened.root.appending("logs"),
            mirrors: prepared.mirrors, localFiles: prepared.loaded.localFiles,
            bootLimit: .seconds(Int64(prepared.loaded.definition.bootCheck.limitSeconds)),
            offline: offline, traces: traces(prepared), secrets: secrets)
        environment.leaseDomain = {
            let intent = try opened.ledger.libvirtDomain(of: LibvirtDomain.connection)
            return LibvirtLease(domain: LibvirtDomain(name: Ledger.domainName(intent.id))) { intent.settle() }
        }
        return environment
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
