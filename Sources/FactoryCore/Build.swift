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
}

extension Factory {
    /// Builds a definition and publishes its artifacts into the request's output folder. The consumers get every event.
    /// Throws `InvalidInput`, `FactoryError` or `CancellationError`; then nothing is in the folder that was not before.
    package func build(
        _ request: BuildRequest, consumers: [@Sendable (BuildEvent) -> Void]
    ) async throws -> BuildReport {
        let start = clock.now()
        // The definition is read before the store is touched: with a mistake in it, nothing is created.
        let loaded = try DefinitionLoading.load(request.definition, set: request.set)
        let secrets = try SecretLoading.values(of: loaded.definition, environment: environment)
        try WritableFolder.check(
            request.output, "the output folder",
            remedy: "choose another folder by --output, or give your user access to this one")
        let opened = try await openStore()
        let reused = ReuseKeeper()
        let events = EventLog(clock: clock, consumers: consumers + [{ reused.see($0) }])
        do {
            let prepared = try await prepare(loaded, request, opened)
            for warning in prepared.warnings { events.send(.warning(step: nil, message: warning)) }
            try requireTools(prepared.plan)
            try SecretLoading.refuse(secrets, in: prepared.plan)
            try SpaceCheck.check(store: store, output: request.output)
            let engine = Engine(
                runner: StepExecutor(stepEnvironment(prepared, opened, secrets: secrets, offline: request.offline)),
                cache: opened,
                clock: clock,
                jobs: request.jobs)
            let results = try await engine.run(prepared.plan, events: events)
            let report = try await publish(prepared, results, reused.names, request, since: start)
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
        StepEnvironment(
            runner: runner, tools: tools, executable: executable, packages: opened.root.appending("packages"),
            releases: opened.root.appending("releases"), cache: opened.root, logs: opened.root.appending("logs"),
            mirrors: prepared.mirrors, localFiles: prepared.loaded.localFiles,
            bootLimit: .seconds(Int64(prepared.loaded.definition.bootCheck.limitSeconds)),
            offline: offline, traces: traces(prepared), secrets: secrets)
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
            if action.firmware == .uefi { try tools.require(.uefiFirmware) }
        }
    }

    private func publish(
        _ prepared: PreparedBuild, _ results: [String: StepResult], _ reused: Set<String>, _ request: BuildRequest,
        since start: Double
    ) async throws -> BuildReport {
        var artifacts: [Artifact] = []
        let publishing = try await Publishing.open(request.output)
        for planned in prepared.plan.artifacts {
            guard let source = results[planned.source.step]?.folder.appending(planned.source.file),
                let digest = results[planned.digestStep]?.folder.appending("digest.json")
            else { throw FactoryError(.internal, "the plan makes no \(planned.file)") }
            let record = try Canonical.decode(DigestRecord.self, from: try DurableFile.read(digest))
            try await publishing.publish(source, as: planned.file, record)
            artifacts.append(
                Artifact(
                    file: planned.file, format: planned.format, size: record.size, allocated: record.allocated,
                    digest: record.digest))
        }
        let steps = prepared.plan.steps.compactMap { step in
            results[step.name].map { result in
                BuildReport.StepTime(
                    name: step.name, id: step.id, reused: reused.contains(step.name), seconds: result.record.seconds,
                    made: result.record.made)
            }
        }
        let manifest = try Manifest(prepared, results, artifacts, steps)
        let name = "\(prepared.plan.name)-\(prepared.plan.version).manifest.json"
        try publishing.write(try Canonical.text(manifest), as: name)
        return BuildReport(
            name: "\(prepared.plan.name)-\(prepared.plan.version)", folder: request.output, artifacts: artifacts,
            steps: steps, seconds: clock.now() - start,
            manifest: request.output.appending(name))
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
