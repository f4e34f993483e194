import Model
import Store
package import SystemPackage

/// Files that a command writes where it is told to.
package enum WholeText {
    /// Writes a file, whole or not at all. Throws `FactoryError`.
    package static func write(_ text: String, to path: FilePath) throws {
        do {
            try DurableFile.write(Array(text.utf8), to: path)
        } catch {
            throw FileFailure.error(error, "write", path, code: .cannotCreate)
        }
    }
}
