import FactoryCore
import Glibc
import Model
import SystemPackage

/// gen-vm-image 0.0.8: `single` and `multiple`, whose results are JSON.
enum GenVMImageCurrent {
    static let folder = "generated-images"

    static func single(
        _ arguments: ArgparseArguments, _ factory: () throws -> Factory
    ) async throws -> ForeignResult {
        let values = arguments.values
        return try await result(isVerbose: arguments.has("--verbose")) { notes in
            let options = SingleImageOptions(
                name: arguments.positionals[0], size: arguments.positionals[1],
                version: values["--version"].flatMap { $0.isEmpty ? nil : $0 }, input: values["--input"],
                inputFormat: values["--input-format"], checksumType: values["--input-checksum-type"],
                checksum: values["--input-checksum"], bufferSize: values["--input-checksum-buffer-size"],
                readBytes: values["--input-checksum-read-bytes"].flatMap { PythonInteger.parse($0) }.map { "\($0)" },
                outputFormat: values["--output-format"] ?? "qcow2", mayShrink: arguments.has("--allow-shrink"))
            let image = try options.image(in: WorkingFolder.path())
            options.warnings.forEach(notes.warn)
            try await factory().make(image, in: values["--output-directory"] ?? folder, overwrite: false, notes)
            return ""
        }
    }

    static func multiple(
        _ arguments: ArgparseArguments, _ factory: () throws -> Factory
    ) async throws -> ForeignResult {
        try await result(isVerbose: arguments.has("--verbose")) { notes in
            let file = FilePath(arguments.positionals[0])
            let architecture = try LoadedArchitecture(file, for: .current, folder: WorkingFolder.path())
            for warning in architecture.warnings { notes.warn(warning.description) }
            let folder = arguments.values["--output-directory"] ?? folder
            try GenVMImageOutputs.requireDistinct(architecture.images.map { ($0.key, $0.fileName) }, file: file.string)
            for image in try architecture.images(only: arguments.values["--image"]) {
                try await factory().make(image, in: folder, overwrite: arguments.has("--overwrite"), notes)
            }
            return "Successfully built the images in: \(WorkingFolder.absolute(folder))"
        }
    }

    /// Notes are shown when they are asked for; why something failed is shown always, and so are warnings.
    private static func result(
        isVerbose: Bool, _ body: (NoteKeeper) async throws -> String
    ) async throws -> ForeignResult {
        let notes = NoteKeeper()
        do {
            let response = try await body(notes)
            return ForeignResult(
                response: response, returnCode: 0, verboseMessages: isVerbose ? notes.all : [],
                warnings: notes.warnings)
        } catch let failure as ImageGenerationFailure {
            let (code, message) = code(of: failure)
            let cause = message.contains(failure.message) ? [] : [failure.message]
            return ForeignResult(
                response: message, returnCode: code,
                verboseMessages: (isVerbose ? notes.all : notes.warnings) + cause + failure.details)
        }
    }

    /// The exit code with the message that belongs to it.
    static func code(of failure: ImageGenerationFailure) -> (code: Int32, message: String) {
        switch failure.reason {
        case .pathNotFound(let path), .noDefinition(let path):

            (1, "Path not found: \(WorkingFolder.relative(path)) - error: \(failure.message)")
        case .create(let path):
            (3, "Failed to create path: \(WorkingFolder.relative(path)) - error: \(failure.message)")
        case .download: (10, failure.message)
        case .checksum(let found, let wanted):
            (
                6,
                found.map {
                    "The checksum of the downloaded image: \($0) does not match the expected checksum: \(wanted)"
                } ?? "Failed to calculate the checksum of the downloaded image"
            )
        case .resize(let path): (7, "Failed to resize path: \(path)")
        case .check(let path): (8, "Failed to check path: \(path)")
        case .definition(let mistake):
            switch mistake {
            case .unreadable: (2, failure.message)
            case .missingRoot where failure.message.hasPrefix("Invalid"): (5, failure.message)
            case .missingRoot, .missing, .checksumEntry: (4, failure.message)
            case .wrongType, .checksumMap, .checksumEntryType: (5, failure.message)
            case .checksumType, .checksumValue: (6, failure.message)
            }
        }
    }
}

extension Factory {
    fileprivate func make(
        _ image: GeneratedImage, in folder: String, overwrite: Bool, _ notes: NoteKeeper
    ) async throws {
        let path = FilePath(folder).appending(image.fileName)
        let outcome = try await generate(image, to: path, overwrite: overwrite, telling: notes.imageNotes)
        switch outcome {
        case .kept:
            notes.add("The output image: \(path) already exists")
            notes.add("Use the --overwrite flag to overwrite the existing image")
        case .made: notes.add("Generated image at: \(WorkingFolder.absolute(path.string))")
        }
    }
}

extension LoadedArchitecture {
    /// All of its images, or that of a key.
    fileprivate func images(only key: String?) throws -> [GeneratedImage] {
        guard let key else { return images }
        guard let image = images.first(where: { $0.key == key }) else {
            throw ImageGenerationFailure(
                .definition(.missing), "Missing attribute: \(key) in images",
                details: ["hint: the file has " + images.map(\.key).joined(separator: ", ")])
        }
        return [image]
    }
}

/// The folder in which the program was started.
enum WorkingFolder {
    static func path() throws -> String {
        guard let folder = getcwd(nil, 0) else {
            throw FactoryError(.osFailure, "the current folder is gone", remedy: "change to a folder that is there")
        }
        defer { free(folder) }
        return String(cString: folder)
    }

    /// A path inside of the folder as it is called from there, which is how people write it.
    static func relative(_ path: String) -> String {
        guard let folder = try? Self.path(), path.hasPrefix(folder + "/") else { return path }
        return String(path.dropFirst(folder.count + 1))
    }

    /// The path from the root, without links; as it is given where there is no such file.
    static func absolute(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
