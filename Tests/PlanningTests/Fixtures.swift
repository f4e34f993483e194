import Dialects
import Model
import Planning
import TestSupport

/// Facts that are invented and always the same.
enum Facts {
    /// A lock with the packages that a definition asks for, from suites that each have a date of their own.
    static func of(_ definition: ImageDefinition) -> PlanningFacts {
        let release = Distribution.named(definition.os.distribution)?.release(definition.os.release)
        let releases = (release?.suites ?? []).enumerated().map { at, suite in
            SuiteRelease(
                archive: suite.archive, suite: suite.name, inRelease: Digest(of: Array(suite.name.utf8)),
                date: 1_763_200_000 + UInt64(at) * 3600)
        }
        let packages = (Distribution.named(definition.os.distribution)?.packages(for: definition) ?? []).map { name in
            LockedPackage(
                name: name, version: "1.0-1", architecture: "amd64", digest: Digest(of: Array(name.utf8)),
                size: 1000, archive: "main", file: "pool/\(name)_1.0-1_amd64.deb")
        }
        return PlanningFacts(
            lock: PackageLock(
                distribution: definition.os.distribution, suite: release?.codename ?? "",
                architecture: definition.os.architecture, components: ["main"], requested: packages.map(\.name),
                releases: releases, packages: packages),
            tools: Dictionary(
                uniqueKeysWithValues: ([Planner.builder] + Planner.tools(for: definition) + Planner.libraries.values)
                    .map {
                        ($0, "1.0")
                    }
            ))
    }
}

enum Definitions {
    static func example(_ name: String) throws -> ImageDefinition {
        let names = DistributionNames(
            Distribution.all.map { ($0.name, $0.releases.map { ($0.codename, $0.aliases) }, $0.components) })
        let files = LocalFiles { _ in throw FactoryError(.missingInput, "examples have no local files") }
        return try NativeDialect.parse(
            bytes: try RepositoryFiles.example(name), file: name + ".yaml", set: [], distributions: names, files: files
        ).definition
    }

    /// A small definition for what changes from test to test.
    static func small(_ change: (inout ImageDefinition) -> Void = { _ in }) -> ImageDefinition {
        var definition = ImageDefinition(
            name: "web", version: "1", os: OperatingSystem(distribution: "debian", release: "trixie"))
        definition.files = [
            FileChange(
                path: "/etc/motd", content: .local(path: "/home/me/motd", digest: Digest(of: [1]), size: ByteCount(1)))
        ]
        definition.outputs = [Output(.qcow2)]
        change(&definition)
        return definition
    }
}

extension BuildPlan {
    /// The ids of its steps, by name.
    var ids: [String: Digest] { Dictionary(uniqueKeysWithValues: steps.map { ($0.name, $0.id) }) }

    /// The names of steps that another plan has too, with another id.
    func stepsChanged(in other: BuildPlan) -> Set<String> {
        Set(ids.filter { name, id in other.ids[name].map { $0 != id } ?? false }.keys)
    }
}
