import Dialects
import DiskFormats
import Glibc
package import Model
import Planning
import Store
package import SystemPackage

/// A definition that was read, with what lowering it found.
package struct LoadedDefinition: Sendable {
    package var definition: ImageDefinition
    package var warnings: [Diagnostic]
    /// Local input files by digest.
    package var localFiles: [Digest: FilePath]
    /// Of the file as it was written.
    package var source: Digest
    /// Where the definition says that the store is; nil: where the program's own is.
    package var cacheFolder: FilePath?
    /// The local date when it was read, `2026-11-21`: the only one of the whole build.
    package var day = ""
    /// What a person should know that is no fault of the definition.
    package var notes: [String] = []
}

/// Reads definitions from files: the one place that gives a dialect the outside world.
package enum DefinitionLoading {
    /// Throws `InvalidInput` with all problems, or `FactoryError` if the file cannot be read.
    package static func load(_ path: FilePath, set: [(String, String)]) throws -> LoadedDefinition {
        let bytes: [UInt8]
        do {
            // More than a definition may have, so that a larger one is told.
            bytes = try DurableFile.read(path, limit: 2 << 20)
        } catch {
            throw FactoryError(
                .missingInput, "cannot read the definition \(path): \(error)", remedy: "check the path")
        }
        let result = try NativeDialect.parse(
            bytes: bytes, file: path.string, set: set, distributions: names, files: LocalFiles(read: digest),
            rules: RuleNames(problem: VerifyRules.problem))
        var localFiles: [Digest: FilePath] = [:]
        for file in result.definition.files {
            if case .local(let path, let digest, _) = file.content { localFiles[digest] = FilePath(path) }
        }
        localFiles.merge(result.definition.answerFiles) { first, _ in first }
        return LoadedDefinition(
            definition: result.definition, warnings: result.warnings, localFiles: localFiles,
            source: Digest(of: bytes))
    }

    /// The JSON Schema of native definitions.
    package static func schema() -> String { NativeSchema.jsonSchema(distributions: names) }

    /// Whether `build X` means a file: one that exists, or anything with a slash in it. A folder may well be called
    /// as an image is.
    package static func isPath(_ argument: String) -> Bool {
        var facts = stat()
        return argument.contains("/") || stat(argument, &facts) == 0 && facts.st_mode & S_IFMT != S_IFDIR
    }

    static let names = DistributionNames(
        Distribution.all.map { distribution in
            (distribution.name, distribution.releases.map { ($0.codename, $0.aliases) }, distribution.components)
        })

    static func digest(_ path: String) throws -> (Digest, ByteCount) {
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var facts = stat()
            guard fstat(file.rawValue, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
                throw FactoryError(.missingInput, "\(path) is not a regular file")
            }
            guard let digest = Digest(try SparseDigest.sha256(of: file)) else { throw Errno.ioError }
            return (digest, ByteCount(UInt64(facts.st_size)))
        }
    }
}

extension ImageDefinition {
    /// The files that answer an installer's questions, and those for cloud-init, by digest.
    var answerFiles: [Digest: FilePath] {
        let files = answers.map { ($0.digest, FilePath($0.path)) } + seed.map { ($0.digest, FilePath($0.path)) }
        return Dictionary(files) { first, _ in first }
    }

    /// What cloud-init sets an image up by.
    var seed: [SeedFile] {
        if case .image(let base) = base { base.setup?.files ?? [] } else { [] }
    }
}
