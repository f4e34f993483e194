import Engine
import Glibc
import Model
import Planning
import Steps
import Store
import Synchronization
import SystemPackage
import Tooling
import Transfer

/// One image on its way through cloud-init and the reset: what `Factory.configure` does, in its order.
struct ImageConfigurationWork {
    let factory: Factory
    let request: ImageConfigurationRequest
    /// What is configured, and where the result comes: links resolved, so that a link stays one.
    let image: FilePath
    let target: FilePath
    let note: @Sendable (String) -> Void

    init(_ factory: Factory, _ request: ImageConfigurationRequest, _ note: @escaping @Sendable (String) -> Void) throws
    {
        self.factory = factory
        self.request = request
        self.note = note
        image = try Self.resolved(request.image)
        target = request.output.map { (try? Self.resolved($0)) ?? $0 } ?? image
    }

    private static func resolved(_ path: FilePath) throws -> FilePath {
        guard let found = realpath(path.string, nil) else {
            throw ImageConfigurationFailure(
                .pathNotFound(path.string), "there is no image \(path): \(Errno(rawValue: errno))",
                details: ["hint: check the path, which starts at the current folder"])
        }
        defer { free(found) }
        return FilePath(platformString: found)
    }

    func run() async throws -> ConfiguredImage {
        let seed = try seedFiles()
        try check()
        try writeSeed(seed)
        for file in seed {
            for warning in try await file.warnings(runner: factory.runner) { note("\(warning)") }
        }
        let opened = try await factory.openStore()
        try SpaceCheck.check(store: opened.root, output: target.removingLastComponent())
        let input = try await fetch(opened)
        defer { withExtendedLifetime(input) {} }
        let format = try await format(of: input.path)
        let base = base(seed, input)
        let state = ConfigurationState(target)
        let key = try ConfigurationState.key(base, format)
        if let kept = try await state.kept(key, input: input.digest) {
            note("\(target) is up to date")
            return kept
        }
        let results = try await steps(base, format, seed, input, opened)
        let made = try configured(results)
        try await place(results, format, opened)
        try state.write(key, input: input.digest, made)
        withExtendedLifetime(results) {}
        return made
    }

    // MARK: before the work

    private func seedFiles() throws -> [SeedFile] {
        try request.seed.map { kind, path in
            do {
                let (digest, size) = try DefinitionLoading.digest(path.string)
                return SeedFile(kind, path: path.string, digest: digest, size: size)
            } catch {
                let text = (error as? FactoryError)?.message ?? "\(error)"
                let reason: ImageConfigurationFailure.Reason =
                    error as? Errno == .noSuchFileOrDirectory ? .pathNotFound(path.string) : .load(path.string)
                throw ImageConfigurationFailure(reason, "cannot read the file for cloud-init \(path): \(text)")
            }
        }
    }

    private func check() throws {
        var facts = stat()
        guard stat(image.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw ImageConfigurationFailure(.load(image.string), "the image \(image) is not a regular file")
        }
        do {
            try factory.tools.require(.qemuImg)
            if let setup = setup([]) { try factory.requireTools(for: setup) }
            try factory.tools.require(.e2fsck)
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(.noTool, error)
        }
        let folder = target.removingLastComponent()
        do {
            try Folder.make(folder.isEmpty ? "." : folder)
            try WritableFolder.check(
                folder, "the folder of the image", remedy: "choose another place, or give your user access to it")
        } catch {
            throw ImageConfigurationFailure(
                .create(folder.string), FileFailure.error(error, "make the folder", folder))
        }
    }

    /// The copy that the user wants to have. That of the guest has a probe of ours beside the files.
    private func writeSeed(_ seed: [SeedFile]) throws {
        guard let path = request.seedOutput, !seed.isEmpty else { return }
        do {
            var files: [SeedFile.Kind: [UInt8]] = [:]
            for file in seed { files[file.kind] = try DurableFile.read(FilePath(file.path), limit: 64 << 20) }
            let bytes = try NoCloudSeed.image(.iso, files, instance: NoCloudSeed.newInstance())
            let folder = path.removingLastComponent()
            try Folder.make(folder.isEmpty ? "." : folder)
            try DurableFile.write(bytes, to: path)
        } catch {
            throw ImageConfigurationFailure(.seed, FileFailure.error(error, "write the seed", path))
        }
    }

    private func fetch(_ opened: FolderStore) async throws -> FetchedSource {
        do {
            return try await factory.sources(of: opened).fetch(
                Source(.file, image.string), checksum: nil, report: TransferReport(log: note, warn: note))
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(.load(image.string), error)
        }
    }

    private func format(of path: FilePath) async throws -> ImageFormat {
        do {
            let facts = try await ImageInspection(runner: factory.runner, executable: factory.executable).inspect(
                path, claimed: request.format?.rawValue, accepted: Set(ImageFormat.allCases.map(\.rawValue)))
            guard let format = ImageFormat(rawValue: facts.format) else {
                throw FactoryError(.internal, "\(facts.format) is no format of images")
            }
            return format
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(.load(image.string), error)
        }
    }

    private func setup(_ seed: [SeedFile]) -> CloudSetup? {
        guard !request.seed.isEmpty || request.bootsWithoutSeed else { return nil }
        return CloudSetup(
            files: seed, network: request.network, degradation: request.degradation, firmware: request.firmware,
            memory: request.memory, processors: request.processors, processor: request.processor,
            hypervisor: request.hypervisor)
    }

    private func base(_ seed: [SeedFile], _ input: FetchedSource) -> ImageBase {
        ImageBase(
            input: .init(Source(.file, image.string, digest: input.digest), format: request.format), format: .raw,
            size: nil, setup: setup(seed),
            reset: request.reset.map { ResetAction($0, makesHostKeyUnit: request.makesHostKeyUnit) })
    }

    // MARK: the work

    private func steps(
        _ base: ImageBase, _ format: ImageFormat, _ seed: [SeedFile], _ input: FetchedSource, _ opened: FolderStore
    ) async throws -> [String: StepResult] {
        guard let output = Output.Format(rawValue: format.rawValue) else {
            throw FactoryError(.internal, "\(format.rawValue) is no output")
        }
        // Guests read it, again and again: it is as quick as what gen-vm-image makes.
        let definition = ImageDefinition(
            name: "image", version: "1", os: OperatingSystem(distribution: "linux", release: ""), base: .image(base),
            outputs: [Output(output, compression: .uncompressed)], bootCheck: BootCheck(enabled: false),
            verify: VerifySettings(isAdvisory: true))
        let versions = try await factory.toolVersions(
            definition, HostFacts(opened.root.appending("host-facts.json")))
        var facts = PlanningFacts(tools: versions)
        if let source = base.input?.source { facts.sources[source] = input.digest }
        let plan = try Planner.plan(definition, facts: facts)
        let environment = try environment(seed, input, opened)
        let failed = Mutex("")
        let follower = ConfigurationFollower(note)
        let events = EventLog(
            clock: factory.clock,
            consumers: [
                { event in
                    if case .finished(let step, .failed, _) = event.kind { failed.withLock { $0 = step } }
                    follower.tell(event)
                }
            ])
        let engine = Engine(runner: StepExecutor(environment), cache: opened, clock: factory.clock, jobs: 2)
        do {
            return try await engine.run(plan, events: events)
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(reason(of: failed.withLock { $0 }, error), error)
        }
    }

    private func environment(
        _ seed: [SeedFile], _ input: FetchedSource, _ opened: FolderStore
    ) throws -> StepEnvironment {
        var made = factory.stepEnvironment(
            of: opened, localFiles: Dictionary(seed.map { ($0.digest, FilePath($0.path)) }) { first, _ in first })
        made.sources = [input.digest: input.path]
        made.guestMirrors = try GuestMirrorRules.rules(factory.environment)
        made.monitorSocket = request.monitorSocket
        made.consoleCopy = request.log
        made.keepsFailed = request.keepsFailed
        if let timeout = request.timeout { made.setupClocks = GuestClocks(total: timeout) }
        made.libvirtMachine = try libvirtMachine()
        made.leaseDomain = {
            let intent = try opened.ledger.libvirtDomain(of: LibvirtDomain.connection)
            return LibvirtLease(domain: LibvirtDomain(name: Ledger.domainName(intent.id))) { intent.settle() }
        }
        return made
    }

    private func libvirtMachine() throws -> LibvirtMachine {
        var template: String?
        if let path = request.libvirt.template {
            do {
                template = String(decoding: try DurableFile.read(path, limit: 1 << 20), as: UTF8.self)
            } catch {
                throw ImageConfigurationFailure(
                    error == .noSuchFileOrDirectory ? .pathNotFound(path.string) : .load(path.string),
                    "cannot read the machine's description \(path): \(error)")
            }
        }
        return LibvirtMachine(
            template: template, values: request.libvirt.values, name: request.libvirt.domainName,
            removeOptions: request.libvirt.removeOptions)
    }

    private func reason(of step: String, _ error: FactoryError) -> ImageConfigurationFailure.Reason {
        switch step {
        case Planner.importStep: .load(image.string)
        case Planner.setupStep: .configure(CloudSetupFailure(error))
        case Planner.resetStep: .reset
        case "verify": .check(target.string)
        default: .create(target.string)
        }
    }

    // MARK: the result

    private func configured(_ results: [String: StepResult]) throws -> ConfiguredImage {
        func read<Value: Decodable>(_ type: Value.Type, _ step: String, _ file: String) throws -> Value? {
            try results[step].map { try StoredFile.json(type, $0.folder.appending(file)) }
        }
        let record = try digest(results)
        return ConfiguredImage(
            image: target, digest: record.digest,
            setup: try read(CloudSetupRecord.self, Planner.setupStep, "cloud-init.json").map(
                ConfiguredImage.Setup.init),
            reset: try read(ResetReport.self, Planner.resetStep, "reset.json")?.operations.map(
                ConfiguredImage.Reset.init) ?? [],
            findings: try read(VerifyReport.self, "verify", "verify.json")?.findings.count ?? 0)
    }

    private func digest(_ results: [String: StepResult]) throws -> DigestRecord {
        guard let folder = results.first(where: { Self.writes($0.key) })?.value.folder else {
            throw FactoryError(.internal, "the plan makes no image")
        }
        return try StoredFile.json(DigestRecord.self, folder.appending("digest.json"))
    }

    /// Whether a step leaves the digest of what is published.
    private static func writes(_ step: String) -> Bool {
        step == "convert-qcow2" || step == "digest-raw" || step.hasPrefix("export-")
    }

    private func place(_ results: [String: StepResult], _ format: ImageFormat, _ opened: FolderStore) async throws {
        let file = "disk." + format.rawValue
        let source =
            switch format {
            case .raw: results[Planner.resetStep] ?? results[Planner.setupStep] ?? results[Planner.importStep]
            case .qcow2: results["convert-qcow2"]
            case .vmdk, .vhd, .vhdx, .vdi: results["export-" + format.rawValue]
            }
        guard let source else { throw FactoryError(.internal, "the plan makes no \(file)") }
        do {
            try await ImagePlacement(path: target, store: opened).place(
                source.folder.appending(file), try digest(results))
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(.create(target.string), error)
        }
    }
}

extension ImageConfigurationFailure {
    init(_ reason: Reason, _ error: FactoryError) {
        self.init(
            reason, error.message,
            details: [error.remedy.map { "hint: " + $0 }, error.log.map { "log: " + $0 }].compactMap { $0 })
    }
}

extension ConfiguredImage.Reset {
    fileprivate init(_ entry: ResetReport.Entry) {
        self.init(
            operation: entry.name, removed: entry.removed, emptied: entry.emptied, changed: entry.changed,
            note: entry.note)
    }
}

/// Tells a person what the steps do, and how long each took.
private struct ConfigurationFollower {
    private let note: @Sendable (String) -> Void

    init(_ note: @escaping @Sendable (String) -> Void) { self.note = note }

    func tell(_ event: BuildEvent) {
        switch event.kind {
        case .started(_, let activity): note(activity)
        case .finished(let step, .reused, _): note("\(step) is in the store")
        case .finished(let step, .succeeded, let seconds): note("\(step) took \((seconds * 10).rounded() / 10) s")
        case .log(_, let line): note(line)
        case .warning(_, let message): note("warning: " + message)
        default: break
        }
    }
}

extension ConfiguredImage.Setup {
    fileprivate init(_ record: CloudSetupRecord) {
        self.init(
            seconds: record.seconds, status: record.status ?? "", datasource: record.datasource,
            recoverableErrors: record.recoverableErrors.sorted { $0.key < $1.key }.flatMap(\.value))
    }
}
