import Dialects
package import Model
import Store
package import SystemPackage

/// An image that gen-vm-image is asked for.
package struct GeneratedImage: Sendable {
    /// What the architecture file calls it; of a single image its name.
    package var key: String
    package var definition: ImageDefinition
    package var base: ImageBase
    /// NAME[-VERSION].FORMAT.
    package var fileName: String

    init(_ image: ImageArchitecture.Image) {
        key = image.key
        definition = image.definition
        base = image.base
        fileName = image.fileName
    }
}

/// The options of `gen-vm-image single`, as they were given.
package struct SingleImageOptions: Sendable {
    package var name: String
    package var size: String
    package var version: String?
    package var input: String?
    package var inputFormat: String?
    package var checksumType: String?
    package var checksum: String?
    package var bufferSize: String?
    package var readBytes: String?
    package var outputFormat: String
    package var mayShrink: Bool

    package init(
        name: String, size: String, version: String? = nil, input: String? = nil, inputFormat: String? = nil,
        checksumType: String? = nil, checksum: String? = nil, bufferSize: String? = nil, readBytes: String? = nil,
        outputFormat: String = "qcow2", mayShrink: Bool = false
    ) {
        self.name = name
        self.size = size
        self.version = version
        self.input = input
        self.inputFormat = inputFormat
        self.checksumType = checksumType
        self.checksum = checksum
        self.bufferSize = bufferSize
        self.readBytes = readBytes
        self.outputFormat = outputFormat
        self.mayShrink = mayShrink
    }

    /// The image that they describe; a relative path starts at the folder. Throws `ImageGenerationFailure`.
    package func image(in folder: String) throws -> GeneratedImage {
        for (value, what) in [(name, "name"), (version ?? name, "version")] where !ImageFileName.isSound(value) {
            throw wrong(value, ImageFileName.rule, what)
        }
        guard let bytes = ImageSize.parse(size) else { throw wrong(size, "a size such as 10G", "size") }
        let base = ImageBase(
            input: try source(in: folder), format: try format(outputFormat, "output format"), size: bytes,
            mayShrink: mayShrink)
        return GeneratedImage(
            ImageArchitecture.Image(key: name, name: name, version: version.map { LiteralText($0) }, base: base))
    }

    /// What is suspicious in them, and what of them has no effect, as lines.
    package var warnings: [String] {
        var found: [String] = []
        func warn(_ text: String) { found.append("warning: " + text) }
        guard let input, !input.isEmpty else {
            let given = [
                ("--input-format", inputFormat), ("--input-checksum-type", checksumType),
                ("--input-checksum", checksum), ("--input-checksum-read-bytes", readBytes),
            ].compactMap { name, value in value.map { _ in name } }
            if !given.isEmpty {
                warn("without --input the disk is empty, and \(given.joined(separator: ", ")) not used")
            }
            return found
        }
        guard let readBytes else { return found }
        if let checksum, !checksum.isEmpty, !checksum.contains("/") {
            warn(
                readBytes == "0"
                    ? "--input-checksum-read-bytes: 0 means the whole file"
                    : "the checksum is of the first \(readBytes) bytes only: the rest may be anything")
        } else {
            warn("--input-checksum-read-bytes is for a checksum that is given as a value, and not used")
        }
        return found
    }

    private func source(in folder: String) throws -> ImageBase.Input? {
        let checksum = try expected(in: folder)
        guard let input, !input.isEmpty else { return nil }
        guard let source = Source(input: input, folder: folder) else {
            throw wrong(input, "a path or a URL (http, https)", "input")
        }
        return ImageBase.Input(
            source, checksum: checksum, format: try inputFormat.map { try format($0, "input format") })
    }

    private func expected(in folder: String) throws -> Checksum? {
        if let bufferSize, UInt64(bufferSize) == nil { throw wrong(bufferSize, "int", "buffer size") }
        if let readBytes, UInt64(readBytes) == nil {
            throw wrong(readBytes, "a number of bytes", "number of bytes of the checksum", type: "int")
        }
        guard let checksum, !checksum.isEmpty else {
            guard let checksumType else { return nil }
            throw ImageGenerationFailure(
                .definition(.missing), "Missing attribute: input_checksum in \(checksumType)",
                details: ["hint: give the value too, by --input-checksum"])
        }
        guard let checksumType else {
            throw ImageGenerationFailure(
                .definition(.missing), "Missing attribute: input_checksum_type in \(checksum)",
                details: ["hint: say which checksum it is, by --input-checksum-type"])
        }
        guard let algorithm = HashAlgorithm(named: checksumType) else {
            let known = HashAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw ImageGenerationFailure(
                .definition(.checksumType), "Failed to calculate the checksum of the downloaded image",
                details: ["'\(checksumType)' is no checksum; known are \(known)"])
        }
        if checksum.contains("/"), let list = Source(input: checksum, folder: folder) {
            return .listed(Checksum.List(list, algorithm: algorithm))
        }
        let first = readBytes.flatMap { UInt64($0) }.flatMap { $0 > 0 ? ByteCount($0) : nil }
        guard let value = Checksum.Value(algorithm, checksum, first: first) else {
            throw ImageGenerationFailure(
                .definition(.checksumValue),
                "The checksum of the downloaded image cannot be the expected checksum: \(checksum)",
                details: ["a \(algorithm.title) has \(algorithm.length * 2) hexadecimal digits"])
        }
        return .value(value)
    }

    private func format(_ text: String, _ what: String) throws -> ImageFormat {
        guard let format = ImageFormat(named: text) else {
            throw wrong(text, "one of " + ImageFormat.allCases.map(\.rawValue).joined(separator: ", "), what)
        }
        return format
    }

    private func wrong(
        _ value: String, _ wanted: String, _ what: String, type: String = "str"
    ) -> ImageGenerationFailure {
        ImageGenerationFailure(
            .definition(.wrongType),
            "Invalid attribute type: <class '\(type)'> for value: \(value) - must be \(wanted)",
            details: ["the \(what) must be \(wanted)"])
    }
}

/// An architecture file that was read.
package struct LoadedArchitecture: Sendable {
    package var images: [GeneratedImage]
    package var warnings: [Diagnostic]
    private let architecture: ImageArchitecture

    /// Which gen-vm-image it is read for.
    package enum Generation: Sendable {
        case seed
        case current
    }

    /// Reads a file; relative paths in it start at the folder. Throws `ImageGenerationFailure`.
    package init(_ path: FilePath, for generation: Generation, folder: String) throws {
        let bytes: [UInt8]
        do {
            // More than a file may have, so that a larger one is told.
            bytes = try DurableFile.read(path, limit: 2 << 20)
        } catch  where error == .noSuchFileOrDirectory || error == .notDirectory {
            throw ImageGenerationFailure(
                .noDefinition(path.string), "cannot read the architecture file: \(error)",
                details: ["hint: check the path \(path)"])
        } catch {
            throw ImageGenerationFailure(
                .definition(.unreadable), "Failed to load path: \(path)",
                details: ["cannot read the architecture file: \(error)", "hint: check its kind and its mode"])
        }
        do {
            let result = try ArchitectureDialect.parse(
                ArchitectureRequest(
                    bytes: bytes, file: path.string, generation: generation == .seed ? .seed : .current, folder: folder)
            )
            architecture = result.architecture
            images = architecture.images.map(GeneratedImage.init)
            warnings = result.warnings
        } catch {
            throw ImageGenerationFailure(
                .definition(Self.mistake(error.kind)), error.message,
                details: error.input.diagnostics.map(\.description))
        }
    }

    /// Pipelines for GoCD, as gen-vm-image wrote them.
    package func pipelines(branch: String, oldSpelling: Bool) -> String {
        GoCDTemplatePipelines(branch: branch, usesOldSpelling: oldSpelling).text(architecture)
    }

    private static func mistake(_ kind: InvalidArchitecture.Kind) -> ImageGenerationFailure.Mistake {
        switch kind {
        case .unreadable: .unreadable
        case .missingRoot: .missingRoot
        case .missing: .missing
        case .wrongType: .wrongType
        case .checksumMap: .checksumMap
        case .checksumEntry: .checksumEntry
        case .checksumEntryType: .checksumEntryType
        case .checksumType: .checksumType
        case .checksumValue: .checksumValue
        }
    }
}
