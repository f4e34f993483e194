import Dialects
import Model
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
    /// The pipelines' file. Throws `InvalidInput` or `FactoryError`.
    package static func text(_ request: GoCDRequest) throws -> String {
        guard request.group.wholeMatch(of: /[A-Za-z0-9_]+/) != nil else {
            throw FactoryError(
                .usage, "the group '\(request.group)' is none for GoCD", remedy: "use letters, digits and '_' only")
        }
        let images = try request.definitions.flatMap(images)
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
        return GoCDPipelines(
            repository: request.repository, branch: request.branch, group: request.group, timer: request.timer,
            resources: request.resources, target: request.target
        ).text(images)
    }

    private static func images(_ path: FilePath) throws -> [GoCDPipelines.Image] {
        if try isArchitecture(path) { return try architecture(path) }
        let definition = try DefinitionLoading.load(path, set: []).definition
        let files = definition.outputs.map { ($0.format, $0.fileName(of: definition)) }
        // Only with a slash a word is a path wherever it is.
        let name = path.string.contains("/") ? path.string : "./" + path.string
        return [
            GoCDPipelines.Image(
                key: definition.name,
                build: ["image-factory", "build", name, "--output", GoCDPipelines.folder],
                disks: files.filter { $0.0 == .raw || $0.0 == .qcow2 }.map(\.1), files: files.map(\.1))
        ]
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

    private static func architecture(_ path: FilePath) throws -> [GoCDPipelines.Image] {
        do {
            return try LoadedArchitecture(path, for: .current, folder: ".").images.map { image in
                GoCDPipelines.Image(
                    key: image.key, build: build(image), disks: [image.fileName], files: [image.fileName])
            }
        } catch let failure as ImageGenerationFailure {
            throw FactoryError(
                .definition, failure.details.first ?? failure.message, remedy: "mend the file \(path)")
        }
    }

    /// The command that makes one image of an architecture file.
    private static func build(_ image: GeneratedImage) -> [String] {
        var words = ["image-factory", "as", "gen-vm-image", "single"]
        let (definition, base) = (image.definition, image.base)
        if let input = base.input {
            words += ["--input", input.source.location]
            if let format = input.format { words += ["--input-format", format.rawValue] }
            switch input.checksum {
            case .value(let value):
                words += ["--input-checksum-type", value.algorithm.rawValue, "--input-checksum", value.digits]
                if let first = value.first { words += ["--input-checksum-read-bytes", "\(first.bytes)"] }
            case .listed(let list):
                words += [
                    "--input-checksum-type", list.algorithm?.rawValue ?? "sha256", "--input-checksum",
                    list.source.location,
                ]
            case nil: break
            }
        }
        if !definition.version.isEmpty { words += ["--version", definition.version] }
        if base.mayShrink { words.append("--allow-shrink") }
        return words + [
            "--output-format", base.format.rawValue, "--output-directory", GoCDPipelines.folder, "--",
            definition.name, "\(base.size?.bytes ?? 0)",
        ]
    }
}
