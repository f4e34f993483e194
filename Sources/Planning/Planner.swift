package import Model

/// What a plan depends on beside the definition, all of it known before.
package struct PlanningFacts: Sendable {
    /// The packages of the tree, from the suites as they stand or stood; nil for bases that are not made of packages.
    package var lock: PackageLock?
    /// Versions of the programs whose bytes reach a result, by program name.
    package var tools: [String: String]
    /// SOURCE_DATE_EPOCH, where the caller has it.
    package var epoch: UInt64?
    /// What was found where the definition says that an installer is.
    package var sources: [Source: Digest]
    /// The local date, `2026-11-21`.
    package var day: String

    package init(
        lock: PackageLock? = nil, tools: [String: String], epoch: UInt64? = nil, sources: [Source: Digest] = [:],
        day: String = ""
    ) {
        self.lock = lock
        self.tools = tools
        self.epoch = epoch
        self.sources = sources
        self.day = day
    }
}

/// Lowers a definition to steps: pure, so that `plan` prints the same bytes each time.
package enum Planner {
    /// This program's own name in `PlanningFacts.tools`: what it writes itself changes with its version.
    package static let builder = "image-factory"

    /// The machine that installs.
    static let machine = "qemu-system-x86_64"

    /// The program that brings images into other formats.
    static let imageTool = "qemu-img"

    /// The name of the step that makes an image of another one.
    package static let importStep = "import"

    /// The names of the steps that set an image up and reset it.
    package static let setupStep = "cloud-setup"
    package static let resetStep = "reset"

    /// The other programs whose versions `PlanningFacts.tools` must have.
    package static func tools(for definition: ImageDefinition) -> [String] {
        let own = baseTools(of: definition)
        let exports = definition.outputs.contains { $0.isExport }
        return exports && !own.contains(imageTool) ? own + [imageTool] : own
    }

    private static func baseTools(of definition: ImageDefinition) -> [String] {
        switch definition.base {
        case .bootstrap:
            ["mmdebstrap", "apt-get", "tar", "mke2fs", "sfdisk", "mkfs.vfat", "mcopy", "zstd"]
        case .netinstall(let install):
            install.hypervisor == .qemu ? [machine] : []
        case .image(let base): [imageTool] + (base.setup?.hypervisor == .qemu ? [machine] : [])
        }
    }

    /// The libraries loaded into this program whose versions `PlanningFacts.tools` must have, by the compression of
    /// qcow2 files that they do.
    package static let libraries: [Output.Compression: String] = [.zstd: "libzstd", .zlib: "zlib"]

    /// The steps of a definition, and what they publish.
    package static func plan(_ definition: ImageDefinition, facts: PlanningFacts) throws -> BuildPlan {
        var builder = PlanBuilder(definition, facts: facts)
        try builder.base()
        var artifacts: [PlannedArtifact] = []
        for output in definition.publishedOutputs {
            let source = try builder.source(of: output)
            let digest = try builder.digest(of: source, format: output.format)
            artifacts.append(
                PlannedArtifact(
                    file: output.fileName(of: definition), format: output.format, source: source, digestStep: digest))
        }
        if definition.bootCheck.enabled { try builder.bootChecks(of: artifacts) }
        return BuildPlan(
            name: definition.name, version: definition.version,
            definition: try Canonical.digest(definition.identity(facts)), steps: builder.steps, artifacts: artifacts)
    }
}

extension ImageDefinition {
    /// The image is the first one.
    fileprivate var publishedOutputs: [Output] {
        guard case .netinstall(let install) = base, install.keepsRaw, !outputs.contains(where: { $0.format == .raw })
        else { return outputs }
        return outputs + [Output(.raw)]
    }
}

extension Output {
    /// Whether another program writes it.
    var isExport: Bool {
        switch format {
        case .vmdk, .vhd, .vhdx, .vdi: true
        case .raw, .qcow2, .tar, .tarZstd: false
        }
    }
}
