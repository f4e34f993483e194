import Dialects
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// What is suspicious in files for cloud-init, told before a guest is asked for minutes.
struct SeedWarnings: Sendable {
    let runner: any CommandRunning

    /// - Parameter path: absolute, or /dev/stdin, which `cloud-init schema` cannot read again.
    func of(_ kind: SeedFile.Kind, _ bytes: [UInt8], at path: FilePath) async throws -> [Diagnostic] {
        let isInput = path == "/dev/stdin"
        let name = isInput ? "standard input" : path.string
        var found = SeedCheck.warnings(kind, bytes, file: name)
        switch kind {
        case .userData, .vendorData:
            found += CloudConfigCheck.warnings(bytes, file: name)
            if path.isAbsolute, !isInput {
                found += try await SeedCheck(runner: runner).schemaWarnings(path.string, bytes)
            }
        case .metaData, .networkConfig: found += CloudConfigCheck.mapWarnings(bytes, file: name)
        }
        return found
    }

    /// Throws `FactoryError` for a file that cannot be read.
    func of(_ files: [SeedFile]) async throws -> [Diagnostic] {
        var found: [Diagnostic] = []
        for file in files {
            let path = FilePath(file.path)
            let bytes: [UInt8]
            do {
                bytes = try await BlockingWork.run { _ in try DurableFile.read(path, limit: SeedImage.limit) }
            } catch let error as Errno {
                throw FactoryError(
                    .missingInput, "cannot read \(file.kind.rawValue) from \(path): \(error)", remedy: "check the path")
            }
            found += try await of(file.kind, bytes, at: path)
        }
        return found
    }
}
