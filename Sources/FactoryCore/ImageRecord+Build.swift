import Engine
import Model
import Planning
import Records
import Steps
import Store
import SystemPackage
import Transfer

extension ImageRecord {
    /// What a finished build tells of itself.
    init(
        _ prepared: PreparedBuild, _ results: [String: StepResult], _ artifacts: [Artifact], _ request: BuildRequest,
        lock: File?
    ) throws {
        let plan = prepared.plan
        let definition = prepared.loaded.definition
        let releases = plan.steps.flatMap { step in
            if case .bootstrap(let action) = step.action { action.releases } else { [SuiteRelease]() }
        }
        let epoch = plan.steps.compactMap { step in
            if case .configure(let action) = step.action { action.epoch } else { UInt64?.none }
        }.first
        let archives = Archives(definition)
        self.init(
            name: plan.name, version: plan.version, builder: ImageFactoryVersion.current,
            distribution: definition.os.distribution, suite: definition.os.release,
            epoch: epoch ?? releases.map(\.date).max() ?? 0,
            definitionFile: File(
                name: request.definition.path.lastComponent?.string ?? "definition", digest: prepared.loaded.source),
            definition: plan.definition,
            variables: Self.told(request.set, definition.hiddenTexts + prepared.secrets.map(\.value)), lock: lock,
            plan: try Canonical.digest(plan),
            steps: plan.steps.map { Step(name: $0.name, id: $0.id, tools: $0.tools) },
            releases: releases.map { File(name: archives.index(of: $0), digest: $0.inRelease) },
            sources: Self.sources(of: plan, definition),
            localFiles: definition.files.compactMap { file in
                guard case .local(_, let digest, _) = file.content else { return nil }
                return File(name: file.path, digest: digest)
            } + definition.answers.map { File(name: $0.name, digest: $0.digest) }
                + definition.seed.map { File(name: $0.kind.rawValue, digest: $0.digest) },
            packages: try Self.packages(of: results, archives), artifacts: artifacts)
    }

    /// What an installer or another image was started from, by its public address; a file of the host has no other name
    /// than its own.
    private static func sources(of plan: BuildPlan, _ definition: ImageDefinition) -> [File] {
        func file(_ source: Source, _ digest: Digest) -> File {
            let name = source.scheme == .file ? FilePath(source.location).lastComponent?.string : source.shown
            return File(name: name ?? source.location, digest: digest)
        }
        if case .image(let base) = definition.base, let source = base.input?.source,
            case .importImage(let action) = plan.step(named: Planner.importStep)?.action, let digest = action.input
        {
            return [file(source, digest)]
        }
        guard case .install(let action) = plan.step(named: "install")?.action,
            case .netinstall(let install) = definition.base
        else { return [] }
        switch (install.medium, action.medium) {
        case (.kernel(let kernel, let initrd), .kernel(let first, let second)):
            return [file(initrd, second), file(kernel, first)]
        case (.image(let image), .image(let digest)): return [file(image, digest)]
        default: return []
        }
    }

    /// The public archives of a definition's distribution: the mirrors of the build are nobody's concern.
    private struct Archives {
        private let distribution: Distribution?

        init(_ definition: ImageDefinition) { distribution = Distribution.named(definition.os.distribution) }

        func uri(_ id: String) -> String? { distribution?.archive(id)?.publicURI }

        func index(of release: SuiteRelease) -> String {
            "\(uri(release.archive) ?? release.archive)/dists/\(release.suite)/InRelease"
        }
    }

    private static func packages(of results: [String: StepResult], _ archives: Archives) throws -> [Package] {
        func read<Value: Decodable>(_ type: [Value].Type, _ step: String, _ file: String) throws -> [Value] {
            guard let bytes = try results[step].flatMap({ try Self.bytes($0.folder.appending(file)) }) else {
                return []
            }
            return try Canonical.decode(type, from: bytes)
        }
        let locked = try read([LockedPackage].self, "bootstrap", "packages.lock.json")
        let files = Dictionary(locked.map { ([$0.name, $0.version, $0.architecture], $0) }) { first, _ in first }
        return try read([InstalledPackage].self, "configure", "packages.json").map { package in
            let locked = files[[package.name, package.version, package.architecture]]
            return Package(installed: package, locked: locked, archive: locked.flatMap { archives.uri($0.archive) })
        }
    }

    /// Nil if there is no such file: a result of an earlier version may lack it.
    private static func bytes(_ path: FilePath) throws -> [UInt8]? {
        do {
            return try DurableFile.read(path)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw FileFailure.error(error, "read", path)
        }
    }

    /// The variables with `***` for what is secret or a part of it.
    static func told(_ variables: [(String, String)], _ secrets: [String]) -> [String: String] {
        var told: [String: String] = [:]
        for (name, value) in variables {
            let isSecret = secrets.contains { secret in
                !secret.isEmpty && (value.contains(secret) || (value.utf8.count >= 4 && secret.contains(value)))
            }
            told[name] = isSecret ? "***" : value
        }
        return told
    }
}

extension ImageDefinition {
    var answers: [AnswerFile] {
        if case .netinstall(let install) = base { install.answers } else { [] }
    }

    /// Texts that no document must tell.
    var hiddenTexts: [String] { users.compactMap(\.passwordHash) }
}
