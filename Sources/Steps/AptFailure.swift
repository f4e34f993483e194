import Model
import Synchronization

/// Finds the line of apt's output that tells why it failed: what it says last is that it failed.
final class AptFailure: Sendable {
    private static let full = "No space left on device"
    private let lines = Mutex<[String]>([])

    func see(_ line: String) {
        guard
            line.hasPrefix("E: ") || line.hasPrefix("W: GPG error: ") || line.hasSuffix(Self.full)
                || Self.unmetDependency(line) != nil
        else { return }
        lines.withLock { if $0.count < 100 { $0.append(line) } }
    }

    /// What failed, and what to do about it where that follows from the message; nil if apt said nothing that explains
    /// it.
    func explanation(offline: Bool) -> (message: String, remedy: String?)? {
        let said = lines.withLock { $0 }
        if let line = said.first(where: { $0.hasPrefix("W: GPG error: ") }) {
            return (
                String(line.dropFirst("W: GPG error: ".count)),
                "give the keyring of these suites as base.bootstrap.keyring, or update the package with the keyring"
            )
        }
        if let line = said.first(where: { $0.contains(Self.full) }) {
            return (line, "free some space for the store and in memory, or run 'image-factory prune'")
        }
        let missing = said.compactMap(Self.missingPackage)
        if !missing.isEmpty {
            let names = missing.map { "'\($0)'" }.joined(separator: ", ")
            return (
                "the suites have no package \(names)",
                "check the names in the definition's packages, and its components"
            )
        }
        let unmet = said.compactMap(Self.unmetDependency)
        if !unmet.isEmpty {
            let others = unmet.count > 3 ? " and \(unmet.count - 3) more" : ""
            return (
                unmet.prefix(3).joined(separator: "; ") + others,
                "check the packages of the definition: some exclude each other, or need what the suites do not have"
            )
        }
        let errors = said.filter { $0.hasPrefix("E: ") }
        guard let line = errors.first(where: { !$0.contains("mmdebstrap") && !$0.hasPrefix("E: setup failed") }) else {
            return nil
        }
        let failedFetch = line.hasPrefix("E: Failed to fetch")
        guard failedFetch, offline else {
            return (
                String(line.dropFirst(3)),
                failedFetch ? "check the mirror and the network, or use --offline with what is cached" : nil
            )
        }
        return ("a package is not in the cache: " + line.dropFirst(3), "run it once without --offline")
    }

    /// From ` X : Conflicts: Y but 1.0 is to be installed`, a line of the list of unmet dependencies.
    private static func unmetDependency(_ line: String) -> String? {
        guard line.hasPrefix(" "), let colon = line.firstRange(of: " : ") else { return nil }
        let (name, rest) = (line[..<colon.lowerBound].dropFirst(), line[colon.upperBound...])
        let kinds = ["Depends: ", "PreDepends: ", "Conflicts: ", "Breaks: "]
        guard !name.contains(" "), kinds.contains(where: rest.hasPrefix) else { return nil }
        return "\(name) \(rest)"
    }

    /// From `E: Unable to locate package X` and `E: Package 'X' has no installation candidate`.
    private static func missingPackage(_ line: String) -> String? {
        let unknown = "E: Unable to locate package "
        if line.hasPrefix(unknown) { return String(line.dropFirst(unknown.count)) }
        guard line.hasPrefix("E: Package '"), line.hasSuffix("' has no installation candidate") else { return nil }
        return String(line.dropFirst("E: Package '".count).prefix { $0 != "'" })
    }
}
