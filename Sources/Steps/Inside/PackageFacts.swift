import Model

/// What dpkg knows of the installed packages: one line each, asked from the tree's own dpkg-query.
enum PackageFacts {
    /// For `dpkg-query --showformat`. What anybody may have written stands last, so that a tab in it moves nothing.
    static let format =
        "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Abbrev}\\t${source:Package}\\t${source:Version}\\t"
        + "${Homepage}\\t${Maintainer}\\n"

    /// The packages, sorted by name. Throws if one is not fully installed.
    static func parse(_ text: String) throws -> [InstalledPackage] {
        var packages: [InstalledPackage] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", maxSplits: 7, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 8 else { continue }
            guard fields[3].hasPrefix("ii") || fields[3].hasPrefix("hi") else {
                if fields[3].hasPrefix("rc") { continue }
                throw FactoryError(
                    .failed, "the package \(fields[0]) is not fully installed (\(fields[3]))",
                    remedy: "see the log of the bootstrap step, and the commands of the definition")
            }
            packages.append(
                InstalledPackage(
                    name: fields[0], version: fields[1], architecture: fields[2], source: known(fields[4]),
                    sourceVersion: known(fields[5]), maintainer: known(fields[7]), homepage: known(fields[6])))
        }
        return packages.sorted { ($0.name, $0.architecture) < ($1.name, $1.architecture) }
    }

    private static func known(_ field: String) -> String? { field.isEmpty ? nil : String(field.prefix(1024)) }
}
