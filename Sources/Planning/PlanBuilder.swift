import Model

/// Puts the steps of one definition together.
struct PlanBuilder {
    private let definition: ImageDefinition
    private let facts: PlanningFacts
    private(set) var steps: [Step] = []
    /// The package sources that the image itself has.
    private var sources: [AptSource] = []

    init(_ definition: ImageDefinition, facts: PlanningFacts) {
        self.definition = definition
        self.facts = facts
    }

    private mutating func add(
        _ name: String, _ action: Action, inputs: [String: StepInput] = [:], tools: [String] = []
    ) throws {
        var versions: [String: String] = [:]
        for tool in tools { versions[tool] = facts.tools[tool] ?? "unknown" }
        steps.append(try Step(name: name, action: action, inputs: inputs, tools: versions, after: steps))
    }

    /// The steps that every output needs.
    mutating func base() throws {
        switch definition.base {
        case .bootstrap(let base): try bootstrap(base)
        case .netinstall(let install): try self.install(install)
        case .image(let base): try image(base)
        }
    }

    /// The steps by which an image is made of another one, or of nothing.
    private mutating func image(_ base: ImageBase) throws {
        let input = try base.input.map { input in
            guard let digest = facts.sources[input.source] else {
                throw FactoryError(.internal, "the digest of \(input.source.location) is not known")
            }
            return digest
        }
        try add(
            Planner.importStep, .importImage(ImportAction(base, input: input)),
            tools: [Planner.builder, Planner.imageTool])
        if let setup = base.setup {
            try add(
                Planner.setupStep, .cloudSetup(CloudSetupAction(setup, reset: base.reset?.operations)),
                inputs: ["disk": lastDisk()], tools: [Planner.builder] + Planner.tools(for: definition))
        }
        if let reset = base.reset {
            var inputs = ["disk": lastDisk()]
            // A guest whose disk cannot be edited has done it itself, and says so.
            if base.setup != nil { inputs["setup"] = StepInput(step: Planner.setupStep, file: "cloud-init.json") }
            try add(Planner.resetStep, .reset(reset), inputs: inputs, tools: [Planner.builder])
        }
    }

    /// The raw disk that the steps so far have made of an image.
    private func lastDisk() -> StepInput {
        let names = [Planner.importStep, Planner.setupStep, Planner.resetStep]
        return StepInput(
            step: steps.last { names.contains($0.name) }?.name ?? Planner.importStep, file: "disk.raw")
    }

    private mutating func bootstrap(_ base: Bootstrap) throws {
        guard let distribution = Distribution.named(definition.os.distribution),
            let release = distribution.release(definition.os.release)
        else {
            throw FactoryError(
                .definition, "unknown release \(definition.os.distribution) \(definition.os.release)")
        }
        let (lock, epoch) = try packages()
        try add(
            "bootstrap",
            .bootstrap(
                BootstrapAction(
                    distribution: distribution.name, suite: release.codename,
                    architecture: definition.os.architecture, components: base.components,
                    releases: lock.releases, packages: lock.requested, lock: try Canonical.digest(lock),
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
    }

    /// The packages, and the time that files get.
    private func packages() throws -> (lock: PackageLock, epoch: UInt64) {
        guard let lock = facts.lock else { throw FactoryError(.internal, "the packages of the tree are not known") }
        return (lock, facts.epoch ?? lock.date)
    }

    private mutating func install(_ install: Netinstall) throws {
        let action = try InstallAction(install, definition, facts: facts)
        try add(
            "install", .install(action),
            tools: [Planner.builder] + Planner.tools(for: definition))
        try add(
            "seal", .seal(SealAction(partitions: install.partitions)),
            inputs: ["disk": StepInput(step: "install", file: "disk.raw")], tools: [Planner.builder])
    }

    mutating func source(of output: Output) throws -> StepInput {
        switch output.format {
        case .tar:
            return try tree()
        case .tarZstd:
            try add("pack", .pack, inputs: ["tree": try tree()], tools: ["zstd"])
            return StepInput(step: "pack", file: "tree.tar.zst")
        case .raw:
            return try disk()
        case .qcow2:
            let disk = try disk()
            let library = Planner.libraries[output.compression].map { [$0] } ?? []
            try add(
                "convert-qcow2", .convert(output), inputs: ["disk": disk], tools: [Planner.builder] + library)
            return StepInput(step: "convert-qcow2", file: "disk.qcow2")
        case .vmdk, .vhd, .vhdx, .vdi:
            guard let format = output.format.image else {
                throw FactoryError(.internal, "\(output.format.rawValue) is no format of disks")
            }
            let name = "export-" + format.rawValue
            try add(
                name, .export(format), inputs: ["disk": try disk()], tools: [Planner.builder, Planner.imageTool])
            return StepInput(step: name, file: "disk." + format.rawValue)
        }
    }

    private func tree() throws -> StepInput {
        guard case .bootstrap = definition.base else {
            throw FactoryError(
                .definition, "only an image made of packages has a tree",
                remedy: "choose outputs that are disks, such as raw and qcow2")
        }
        return StepInput(step: "clean", file: "tree.tar")
    }

    private mutating func disk() throws -> StepInput {
        let disk =
            switch definition.base {
            case .bootstrap: StepInput(step: "assemble", file: "disk.raw")
            case .netinstall: StepInput(step: "seal", file: "disk.raw")
            case .image: lastDisk()
            }
        guard !steps.contains(where: { $0.name == "verify" }) else { return disk }
        if case .bootstrap = definition.base { try assemble() }
        try add(
            "verify", .verify(VerifyPolicy(definition, sources: sources)), inputs: ["disk": disk],
            tools: [Planner.builder])
        return disk
    }

    private mutating func assemble() throws {
        try add(
            "assemble",
            .assemble(
                AssembleAction(
                    layout: definition.disk, kernelArguments: definition.kernelArguments, epoch: try packages().epoch)),
            inputs: ["tree": try tree()],
            tools: [Planner.builder, "tar", "mke2fs", "sfdisk", "mkfs.vfat", "mcopy"])
    }

    /// The step that leaves the digest of an output: where a disk is converted the one that writes it.
    mutating func digest(of source: StepInput, format: Output.Format) throws -> String {
        if let image = format.image, image != .raw { return source.step }
        let name = "digest-" + format.rawValue
        try add(name, .digest, inputs: ["file": source])
        return name
    }

    /// The artifact that is booted is a published one, the smaller of qcow2 and raw if there are both. Of other disks it
    /// is what they were written from.
    mutating func bootChecks(of artifacts: [PlannedArtifact]) throws {
        let disks = artifacts.filter { $0.format == .qcow2 || $0.format == .raw }
        guard let disk = try disks.first(where: { $0.format == .qcow2 }) ?? disks.first ?? unpublishedDisk(artifacts)
        else { return }
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

    private mutating func unpublishedDisk(_ artifacts: [PlannedArtifact]) throws -> PlannedArtifact? {
        guard artifacts.contains(where: { $0.format.image != nil }) else { return nil }
        let source = try disk()
        return PlannedArtifact(
            file: source.file, format: .raw, source: source, digestStep: try digest(of: source, format: .raw))
    }
}
