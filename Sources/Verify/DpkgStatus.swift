import Filesystems

/// dpkg's database of packages (/var/lib/dpkg/status: deb822 paragraphs).
struct DpkgStatus {
    struct Package {
        var name = ""
        var status = ""
        /// Depends and Pre-Depends: all of the outer list, one of each inner one; names without versions.
        var needs: [[String]] = []
        var provides: [String] = []

        var isInstalled: Bool { status.hasSuffix(" installed") }
        var shownName: String { BytePath.text(name.utf8.prefix(80)) }
    }

    let packages: [Package]
    private let there: Set<String>

    init(_ image: Inspection) {
        var packages: [Package] = []
        var package = Package()
        for raw in (image.tree.bytes("/var/lib/dpkg/status") ?? []).split(
            separator: 0x0a, omittingEmptySubsequences: false)
        {
            guard !raw.isEmpty else {
                if !package.name.isEmpty { packages.append(package) }
                package = Package()
                continue
            }
            // Four of some twenty fields matter: the others are told apart by their first byte alone.
            switch raw[raw.startIndex] {
            case UInt8(ascii: "P"), UInt8(ascii: "S"), UInt8(ascii: "D"):
                Self.read(String(decoding: raw, as: UTF8.self), into: &package)
            default: break
            }
        }
        if !package.name.isEmpty { packages.append(package) }
        self.packages = packages
        there = Set(packages.filter(\.isInstalled).flatMap { [$0.name] + $0.provides })
    }

    private static func read(_ line: String, into package: inout Package) {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return }
        let value = Lines.trimmed(parts[1])
        switch parts[0] {
        case "Package": package.name = value
        case "Status": package.status = value
        case "Provides": package.provides = value.split(separator: ",").map(name)
        case "Depends", "Pre-Depends":
            package.needs += value.split(separator: ",").map { $0.split(separator: "|").map(name) }
        default: break
        }
    }

    /// `libc6:any (>= 2.36)` is `libc6`.
    private static func name(_ text: Substring) -> String {
        Lines.trimmed(text.prefix { $0 != "(" && $0 != ":" && $0 != "[" })
    }

    /// What a package needs and nothing that is installed gives.
    func missing(for package: Package) -> [String] {
        package.needs.filter { !$0.contains(where: there.contains) }.compactMap(\.first)
            .map { BytePath.text($0.utf8.prefix(80)) }
    }
}
