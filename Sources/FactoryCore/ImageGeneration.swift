import DiskFormats
import Engine
import Glibc
import Model
import Planning
import Steps
import Store
package import SystemPackage
import Tooling
import Transfer

/// What became of an image that was asked for.
package enum GenerationOutcome: Hashable, Sendable {
    case made
    /// There is a file of that name, which was not to be replaced.
    case kept
}

extension Factory {
    /// Makes the image of gen-vm-image's kind: fetches its input, brings it into the wanted format and size, and puts it at
    /// a path, whole or not at all.
    ///
    /// Throws `ImageGenerationFailure` or `CancellationError`; then nothing is at the path that was not before.
    package func generate(
        _ image: GeneratedImage, to path: FilePath, overwrite: Bool, telling notes: ImageNotes
    ) async throws -> GenerationOutcome {
        var facts = stat()
        if !overwrite, stat(path.string, &facts) == 0 { return .kept }
        let folder = path.removingLastComponent()
        do {
            try Folder.make(folder.isEmpty ? "." : folder)
        } catch {
            throw ImageGenerationFailure(
                .create(folder.string), FileFailure.error(error, "make the folder", folder))
        }
        do {
            let opened = try await openStore()
            try SpaceCheck.check(store: store, output: folder)
            let input = try await fetched(image, opened, notes)
            let result = try await made(image, path, input, opened, notes)
            try await ImagePlacement(path: path, store: opened).place(
                result.folder.appending("disk." + image.base.format.rawValue),
                try StoredFile.json(DigestRecord.self, result.folder.appending("digest.json")))
            withExtendedLifetime(result) {}
            return .made
        } catch let error as ImageGenerationFailure {
            throw error
        } catch let error as FactoryError {
            throw ImageGenerationFailure(.create(path.string), error)
        }
    }

    // MARK: the input

    private func fetched(
        _ image: GeneratedImage, _ opened: FolderStore, _ notes: ImageNotes
    ) async throws -> FetchedSource? {
        guard let input = image.base.input else { return nil }
        if input.source.scheme == .file {
            var facts = stat()
            guard stat(input.source.location, &facts) == 0 else {
                throw ImageGenerationFailure(
                    .pathNotFound(input.source.location), "the input image is not there",
                    details: ["hint: check the path, which starts at the current folder"])
            }
        } else {
            notes.note("Downloading image from: \(input.source.shown)")
        }
        do {
            let found = try await sources(of: opened).fetch(
                input.source, checksum: input.checksum, report: notes.transfer)
            if case .value(let value)? = input.checksum {
                notes.note("The calculated checksum: \(value.digits) matches the defined checksum: \(value.digits)")
            }
            return found
        } catch let error as FactoryError {
            throw Self.failure(error, input)
        }
    }

    private static func failure(_ error: FactoryError, _ input: ImageBase.Input) -> ImageGenerationFailure {
        guard error.code == .failed, case .value(let value)? = input.checksum else {
            return ImageGenerationFailure(
                input.source.scheme == .file ? .pathNotFound(input.source.location) : .download, error)
        }
        // The message is the only one that knows what the bytes really have.
        let found = error.message.split { " ,".contains($0) }.map(String.init).first { word in
            word.utf8.count == value.digits.utf8.count && word != value.digits && word.allSatisfy(\.isHexDigit)
        }
        return ImageGenerationFailure(.checksum(found: found, wanted: value.digits), error)
    }

    // MARK: the work

    private func made(
        _ image: GeneratedImage, _ path: FilePath, _ input: FetchedSource?, _ opened: FolderStore,
        _ notes: ImageNotes
    ) async throws -> StepResult {
        let versions = try await toolVersions(
            image.definition, HostFacts(opened.root.appending("host-facts.json")))
        var sources: [Source: Digest] = [:]
        if let input, let source = image.base.input?.source { sources[source] = input.digest }
        let plan = try Planner.plan(image.definition, facts: PlanningFacts(tools: versions, sources: sources))
        var environment = stepEnvironment(of: opened)
        if let input { environment.sources = [input.digest: input.path] }
        let events = EventLog(clock: clock, consumers: [{ Self.tell($0, notes) }])
        let engine = Engine(runner: StepExecutor(environment), cache: opened, clock: clock, jobs: 1)
        do {
            let results = try await engine.run(plan, events: events)
            guard let result = results[Planner.importStep] else {
                throw FactoryError(.internal, "the plan has no step '\(Planner.importStep)'")
            }
            withExtendedLifetime(input) {}
            return result
        } catch let error as FactoryError {
            throw ImageGenerationFailure(Self.reason(error, image, path), error)
        }
    }

    /// Of images that are made without a definition.
    func stepEnvironment(of opened: FolderStore, localFiles: [Digest: FilePath] = [:]) -> StepEnvironment {
        StepEnvironment(
            runner: runner, tools: tools, executable: executable, packages: opened.root.appending("packages"),
            lock: nil, cache: opened.root, logs: opened.root.appending("logs"), mirrors: [:], localFiles: localFiles,
            bootLimit: .seconds(600))
    }

    private static func reason(
        _ error: FactoryError, _ image: GeneratedImage, _ path: FilePath
    ) -> ImageGenerationFailure.Reason {
        switch error.activity.flatMap(ImportStage.init) {
        case .resizing: .resize(path.string)
        case .checking: .check(path.string)
        // gen-vm-image names what it converts.
        case .unpacking, .inspecting, .converting: .create(image.base.input?.source.shown ?? path.string)
        case .creating, nil: .create(path.string)
        }
    }

    private static func tell(_ event: BuildEvent, _ notes: ImageNotes) {
        switch event.kind {
        case .log(_, let line): notes.note(line)
        case .warning(_, let message): notes.warn("warning: " + message)
        default: break
        }
    }
}
