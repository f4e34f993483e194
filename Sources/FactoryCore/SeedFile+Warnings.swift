import Dialects
import Model
import Steps
import Store
import SystemPackage
import Tooling

extension SeedFile {
    /// What is suspicious in a file for cloud-init, which itself has the last word in the guest.
    ///
    /// - Parameters:
    ///   - name: of the file, for people.
    ///   - path: where cloud-init's own check of the host may read it, absolute; nil: it is not asked.
    static func warnings(
        _ kind: Kind, _ bytes: [UInt8], name: String, path: FilePath?, runner: any CommandRunning
    ) async throws -> [Diagnostic] {
        var found = SeedCheck.warnings(kind, bytes, file: name)
        switch kind {
        case .userData, .vendorData:
            found += CloudConfigCheck.warnings(bytes, file: name)
            if let path { found += try await SeedCheck(runner: runner).schemaWarnings(path.string, bytes) }
        case .metaData, .networkConfig:
            found += CloudConfigCheck.mapWarnings(bytes, file: name)
        }
        return found
    }

    /// The same of this file as it is now.
    func warnings(runner: any CommandRunning) async throws -> [Diagnostic] {
        let file = FilePath(path)
        let bytes = try await BlockingWork.run { _ in
            do {
                return try DurableFile.read(file, limit: SeedImage.limit)
            } catch {
                throw FileFailure.error(error, "read", file)
            }
        }
        return try await Self.warnings(kind, bytes, name: path, path: file, runner: runner)
    }
}
