package import SystemPackage
package import Tooling

/// The mirrors that the host's own apt uses.
package enum HostMirrors {
    /// The files and folders on which the host's archives depend.
    package static let sources: [FilePath] = [
        "/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d", "/var/lib/apt/lists",
    ]

    /// The host's archives, each a line `ORIGIN tab LABEL tab URI`; empty if the host has no apt.
    package static func lines(runner: any CommandRunning) async -> String {
        let format = "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)"
        let command = Command(
            "apt-get", ["indextargets", "--format", format, "Created-By: Packages"], timeout: .seconds(20))
        guard let result = try? await runner.run(command, onLine: { _, _ in }), result.succeeded else { return "" }
        return result.text
    }

    /// The URI for an archive among such lines, by its Origin and Label in the host's Release files, else by how its
    /// URI ends. Nil if the host uses no such archive.
    package static func choose(_ lines: String, origin: String, label: String, pathSuffix: String) -> String? {
        let rows = lines.split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        for row in rows where row.count == 3 && row[2].hasPrefix("http") {
            let uri = row[2].hasSuffix("/") ? String(row[2].dropLast()) : row[2]
            let known = row[0] == origin && row[1] == label
            // Without a Release file the fields come out as they were written, or empty.
            let unknown = row[0].isEmpty || row[0].hasPrefix("$(")
            if known || (unknown && uri.hasSuffix(pathSuffix)) { return uri }
        }
        return nil
    }
}
