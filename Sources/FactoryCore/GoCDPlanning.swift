import Dialects
package import Model
import Planning
import Store
package import SystemPackage

/// How pipelines for GoCD are asked for.
package struct GoCDRequest: Sendable {
    /// Definitions, or architecture files of gen-vm-image; as paths inside of the repository.
    package var definitions: [FilePath]
    package var repository: String
    package var branch: String
    package var group: String
    package var timer: String?
    package var resources: [String]
    package var target: String?

    package init(
        definitions: [FilePath], repository: String, branch: String, group: String, timer: String?,
        resources: [String], target: String?
    ) {
        self.definitions = definitions
        self.repository = repository
        self.branch = branch
        self.group = group
        self.timer = timer
        self.resources = resources
        self.target = target
    }
}

/// Pipelines for GoCD that build, verify and publish the images of definitions.
package enum GoCDPlanning {
    /// The pipelines' file, and what is to be said of the definitions. Throws `InvalidInput` or `FactoryError`.
    package static func text(_ request: GoCDRequest) throws -> (text: String, warnings: [Diagnostic]) {
        guard request.group.wholeMatch(of: /[A-Za-z0-9_]+/) != nil else {
            throw FactoryError(
                .usage, "the group '\(request.group)' is none for GoCD", remedy: "use letters, digits and '_' only")
        }
        let found = try request.definitions.map(images)
        let images = found.flatMap(\.images)
        var keys: Set<String> = []
        for image in images {
            guard image.key.wholeMatch(of: /[A-Za-z0-9_.\-]+/) != nil else {
                throw FactoryError(
                    .definition, "'\(image.key)' is no name for a pipeline",
                    remedy: "call the image by letters, digits, '_', '.' and '-' only")
            }
            guard keys.insert(image.key).inserted else {
                throw FactoryError(
                    .definition, "two images are called '\(image.key)', and so would their pipelines",
                    remedy: "give one of them another name, or write two files")
            }
        }
        let text = GoCDPipelines(
            repository: request.repository, branch: request.branch, group: request.group, timer: request.timer,
            resources: request.resources, target: request.target
        ).text(images)
        return (text, found.flatMap(\.warnings))
    }

    private static func images(_ path: FilePath) throws -> (images: [GoCDPipelines.Image], warnings: [Diagnostic]) {
        // Only with a slash a word is a path wherever it is.
        let name = path.string.contains("/") ? path.string : "./" + path.string
        if try isArchitecture(path) { return try architecture(path, name) }
        let loaded = try DefinitionLoading.load(path, set: [])
        let definition = loaded.definition
        let files = definition.outputs.map { ($0.format, $0.fileName(of: definition)) }
        let image = GoCDPipelines.Image(
            key: definition.name, build: ["image-factory", "build", name, "--output", GoCDPipelines.folder],
            disks: files.filter { $0.0 == .raw || $0.0 == .qcow2 }.map { .init($0.1, definition.effectiveVerify) },
            files: files.map(\.1))
        return ([image], loaded.warnings)
    }

    /// Only an architecture file has `images`.
    private static func isArchitecture(_ path: FilePath) throws -> Bool {
        do {
            let text = String(decoding: try DurableFile.read(path, limit: 2 << 20), as: UTF8.self)
            return text.split(separator: "\n").contains { $0.hasPrefix("images:") }
        } catch {
            throw FactoryError(.missingInput, "cannot read \(path): \(error)", remedy: "check the path")
        }
    }

    /// Each pipeline gives gen-vm-image the file itself, so that whatever it says of its image holds there.
    private static func architecture(
        _ path: FilePath, _ name: String
    ) throws -> (images: [GoCDPipelines.Image], warnings: [Diagnostic]) {
        do {
            let loaded = try LoadedArchitecture(path, for: .current, folder: ".")
            let images = loaded.images.map { image in
                GoCDPipelines.Image(
                    key: image.key,
                    build: [
                        "image-factory", "as", "gen-vm-image", "multiple", name, "--image=\(image.key)",
                        "--output-directory", GoCDPipelines.folder,
                    ], disks: [.init(image.fileName, image.definition.effectiveVerify)], files: [image.fileName])
            }
            return (images, loaded.warnings)
        } catch let failure as ImageGenerationFailure {
            throw FactoryError(
                .definition, failure.details.first ?? failure.message, remedy: "mend the file \(path)")
        }
    }
}
