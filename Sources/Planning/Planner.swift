package import Model

/// What a plan depends on beside the definition, all of it known before.
package struct PlanningFacts: Sendable {
    /// The packages of the tree, from the suites as they stand or stood.
    package var lock: PackageLock
    /// Versions of the programs whose bytes reach a result, by program name.
    package var tools: [String: String]
    /// SOURCE_DATE_EPOCH, where the caller has it.
    package var epoch: UInt64?

    package init(lock: PackageLock, tools: [String: String], epoch: UInt64? = nil) {
        self.lock = lock
        self.tools = tools
        self.epoch = epoch
    }
}

/// Lowers a definition to steps: pure, so that `plan` prints the same bytes each time.
package enum Planner {
    /// This program's own name in `PlanningFacts.tools`: what it writes itself changes with its version.
    package static let builder = "image-factory"

    /// The other programs whose versions `PlanningFacts.tools` must have.
    package static let tools = [
        "mmdebstrap", "apt-get", "tar", "mke2fs", "sfdisk", "mkfs.vfat", "mcopy", "zstd",
    ]

    /// The libraries loaded into this program whose versions `PlanningFacts.tools` must have, by the compression of
    /// qcow2 files that they do.
    package static let libraries: [Output.Compression: String] = [.zstd: "libzstd", .zlib: "zlib"]

    /// Refuses what has no plan, before anything is found out for it.
    package static func check(_ definition: ImageDefinition) throws {
        guard case .netinstall = definition.base else { return }
        throw FactoryError(
            .unavailable, "installations are not built by this version yet",
            remedy: "build the image from packages: write a definition with 'base: bootstrap:'")
    }

    /// The steps of a definition, and what they publish.
    package static func plan(_ definition: ImageDefinition, facts: PlanningFacts) throws -> BuildPlan {
        try check(definition)
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release)
        else {
            throw FactoryError(
                .definition, "unknown release \(definition.os.distribution) \(definition.os.release)")
        }
        var builder = PlanBuilder(facts: facts)
        let tree = try builder.tree(definition, distribution, release)
        var artifacts: [PlannedArtifact] = []
        for output in definition.outputs {
            let source = try builder.source(of: output, tree: tree, definition)
            let digest = try builder.digest(of: source, format: output.format)
            artifacts.append(
                PlannedArtifact(
                    file: output.fileName(of: definition), format: output.format, source: source, digestStep: digest))
        }
        if definition.bootCheck.enabled { try builder.bootChecks(of: artifacts, definition) }
        return BuildPlan(
            name: definition.name, version: definition.version, definition: try Canonical.digest(definition.identity),
            steps: builder.steps, artifacts: artifacts)
    }
}

private struct PlanBuilder {
    let facts: PlanningFacts
    var steps: [Step] = []
    /// The package sources that the image itself has.
    private var sources: [AptSource] = []

    init(facts: PlanningFacts) { self.facts = facts }

    private var epoch: UInt64 { facts.epoch ?? facts.lock.date }

    private mutating func add(
        _ name: String, _ action: Action, inputs: [String: StepInput] = [:], tools: [String] = []
    ) throws {
        var versions: [String: String] = [:]
        for tool in tools { versions[tool] = facts.tools[tool] ?? "unknown" }
        steps.append(try Step(name: name, action: action, inputs: inputs, tools: versions, after: steps))
    }

    mutating func tree(
        _ definition: ImageDefinition, _ distribution: Distribution, _ release: Distribution.Release
    ) throws -> StepInput {
        guard case .bootstrap(let base) = definition.base else {
            throw FactoryError(.internal, "this base has no plan")
        }
        try add(
            "bootstrap",
            .bootstrap(
                BootstrapAction(
                    distribution: distribution.name, suite: release.codename,
                    architecture: definition.os.architecture, components: base.components,
                    releases: facts.lock.releases, packages: facts.lock.requested,
                    lock: try Canonical.digest(facts.lock),
                    epoch: epoch)),
            tools: [Planner.builder, "mmdebstrap", "apt-get"])
        sources =
            definition.aptSources
            ?? distribution.publicSources(release: release, components: base.components)
        try add(
            "configure", .configure(ConfigureAction(definition, sources: sources, epoch: epoch)),
            inputs: ["tree": StepInput(step: "bootstrap", file: "tree.tar")],
            tools: [Planner.builder, "tar"])
        try add(
            "clean", .clean(CleanAction(secrets: definition.secrets.map(\.name).sorted(), epoch: epoch)),
            inputs: ["tree": StepInput(step: "configure", file: "tree.tar")],
            tools: [Planner.builder, "tar"])
        return StepInput(step: "clean", file: "tree.tar")
    }

    mutating func source(
        of output: Output, tree: StepInput, _ definition: ImageDefinition
    ) throws -> StepInput {
        switch output.format {
        case .tar:
            return tree
        case .tarZstd:
            try add("pack", .pack, inputs: ["tree": tree], tools: ["zstd"])
            return StepInput(step: "pack", file: "tree.tar.zst")
        case .raw:
            return try disk(tree, definition)
        case .qcow2:
            let disk = try disk(tree, definition)
            let library = Planner.libraries[output.compression].map { [$0] } ?? []
            try add(
                "convert-qcow2", .convert(output), inputs: ["disk": disk], tools: [Planner.builder] + library)
            return StepInput(step: "convert-qcow2", file: "disk.qcow2")
        }
    }

    private mutating func disk(_ tree: StepInput, _ definition: ImageDefinition) throws -> StepInput {
        if !steps.contains(where: { $0.name == "assemble" }) {
            try add(
                "assemble",
                .assemble(
                    AssembleAction(
                        layout: definition.disk, kernelArguments: definition.kernelArguments, epoch: epoch)),
                inputs: ["tree": tree],
                tools: [Planner.builder, "tar", "mke2fs", "sfdisk", "mkfs.vfat", "mcopy"])
            try add(
                "verify", .verify(VerifyPolicy(definition, sources: sources)),
                inputs: ["disk": StepInput(step: "assemble", file: "disk.raw")], tools: [Planner.builder])
        }
        return StepInput(step: "assemble", file: "disk.raw")
    }

    /// The step that leaves the digest of an output: for qcow2 the one that writes it.
    mutating func digest(of source: StepInput, format: Output.Format) throws -> String {
        if format == .qcow2 { return source.step }
        let name = "digest-" + format.rawValue
        try add(name, .digest, inputs: ["file": source])
        return name
    }

    /// The artifact that is booted is a published one, the smaller if there are two.
    mutating func bootChecks(of artifacts: [PlannedArtifact], _ definition: ImageDefinition) throws {
        let disks = artifacts.filter { $0.format == .qcow2 || $0.format == .raw }
        guard let disk = disks.first(where: { $0.format == .qcow2 }) ?? disks.first else { return }
        let firmwares: [BootCheckAction.Firmware] =
            switch definition.disk.firmware {
            case .bios: [.bios]
            case .uefi: [.uefi]
            case .both: [.bios, .uefi]
            }
        for firmware in firmwares {
            try add(
                "boot-" + firmware.rawValue, .bootCheck(BootCheckAction(firmware: firmware, format: disk.format)),
                inputs: ["disk": disk.source, "digest": StepInput(step: disk.digestStep, file: "digest.json")])
        }
    }
}

extension ConfigureAction {
    init(_ definition: ImageDefinition, sources: [AptSource], epoch: UInt64) {
        self.init(
            hostname: definition.hostname, locale: definition.locale, timezone: definition.timezone,
            sources: sources, files: definition.files.map(File.init), commands: definition.commands,
            users: definition.users, dataSources: definition.cloudInit.dataSources,
            kernelArguments: definition.kernelArguments, secrets: definition.secrets.map(\.name).sorted(),
            epoch: epoch)
    }
}

extension VerifyPolicy {
    /// What the definition declares, and with it what the rules let pass.
    init(_ definition: ImageDefinition, sources: [AptSource]) {
        self.init(
            hostname: definition.hostname, users: definition.users, sources: sources.flatMap(\.uris),
            files: definition.files.map(\.path), secrets: definition.secrets.map(\.name).sorted(),
            waivers: definition.verify.waivers, isStrict: definition.verify.isStrict)
    }
}

extension ConfigureAction.File {
    init(_ change: FileChange) {
        var inline: String?
        var local: Digest?
        switch change.content {
        case .inline(let text): inline = text
        case .local(_, let digest, _): local = digest
        }
        self.init(
            path: change.path, inline: inline, local: local, owner: change.owner, group: change.group,
            mode: change.mode)
    }
}

extension ImageDefinition {
    /// The definition without where it was: paths of local files and keys, mirrors, and where secrets come from.
    var identity: ImageDefinition {
        var copy = self
        copy.signing = nil
        copy.files = files.map { file in
            guard case .local(_, let digest, let size) = file.content else { return file }
            var moved = file
            moved.content = .local(path: "", digest: digest, size: size)
            return moved
        }
        if case .bootstrap(var base) = base {
            base.mirror = nil
            base.securityMirror = nil
            copy.base = .bootstrap(base)
        }
        copy.secrets = secrets.map { SecretDeclaration(name: $0.name, source: .inline(SecretText(""))) }
        return copy
    }
}
