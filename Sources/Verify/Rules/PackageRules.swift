import Model
import Filesystems

/// apt, dpkg and debconf.
enum PackageRules {
    static let rules = [sources, caches, debconf, database]

    private static let sources = Rule(
        "H-26", "Package sources are signed, remote and declared.",
        family: .debian,
        reason: "From another source an instance installs what nobody has checked.",
        hint: "remove the source, or declare it under apt_sources",
        checks: [
            .lines(patterns) { line, _ in
                let schemes = ["file:", "cdrom:", "copy:"]
                return isSource(line) && Lines.words(line).contains { word in schemes.contains { word.hasPrefix($0) } }
                    ? "it has a local source" : nil
            },
            .lines(patterns) { line, _ in
                let text = line.lowercased().filter { !$0.isWhitespace }
                return ["trusted=yes", "trusted:yes", "allow-insecure=yes", "allow-insecure:yes"]
                    .contains { text.contains($0) } ? "it trusts a source without a signature" : nil
            },
            .lines(patterns) { line, image in
                guard let declared = image.policy.sources, isSource(line) else { return nil }
                let known = Set(declared.map(withoutSlash))
                let unknown = Lines.words(line).filter { $0.contains("://") && !known.contains(withoutSlash($0)) }
                return unknown.isEmpty ? nil : "it has a source that is not declared"
            },
            .lines(patterns) { line, _ in Lines.hasCredentials(line) ? "it has a password in a URL" : nil },
            .absentOrEmpty("/etc/apt/trusted.gpg"),
        ])

    private static let patterns = "/etc/apt/{sources.list,sources.list.d/*.list,sources.list.d/*.sources}"

    private static func isSource(_ line: String) -> Bool {
        let text = line.lowercased()
        return text.hasPrefix("deb") || text.hasPrefix("uris:")
    }

    private static func withoutSlash(_ uri: String) -> String { uri.hasSuffix("/") ? String(uri.dropLast()) : uri }

    private static let caches = Rule(
        "H-28", "apt's lists and caches are empty.",
        family: .debian, verdict: .warning,
        reason: "They are old before the image is used, and make it larger.",
        hint: "run 'apt-get clean' and empty /var/lib/apt/lists",
        checks: [
            .emptyFolder("/var/lib/apt/lists", but: ["lock", "partial", "auxfiles"]),
            .emptyFolder("/var/lib/apt/lists/{partial,auxfiles}"),
            .absent("/var/cache/apt/archives/{*.deb,partial/*}", "/var/cache/apt/*.bin"),
        ])

    private static let debconf = Rule(
        "H-29", "Neither debconf nor an installer keeps answers that may be passwords.",
        family: .debian,
        reason: "The installer's answers have the passwords in plain text (CVE-2006-1183, CVE-2023-5182).",
        hint: "empty passwords.dat; remove the installer's logs and answers",
        checks: [
            .absentOrEmpty("/var/cache/debconf/passwords.dat"),
            .absent("/var/cache/debconf/*-old"),
            Check("nomatch") { image in
                image.tree.match("/var/cache/debconf/config.dat").flatMap { node in
                    debconfPasswords(image.tree.bytes(node) ?? []).map {
                        Observation(
                            "\(node.path)", "it has an answer to \($0.question)", evidence: Array($0.value.utf8))
                    }
                }
            },
            .absentOrEmpty("/var/log/installer", "/var/lib/preseed", "/var/lib/debconf"),
            .absent("/{preseed.cfg,autoinst*.xml,var/lib/install*.cfg}", "/var/log/installer/autoinstall-user-data"),
        ])

    /// Questions about passwords that have an answer, in debconf's database of records.
    private static func debconfPasswords(_ bytes: [UInt8]) -> [(question: String, value: String)] {
        var found: [(question: String, value: String)] = []
        var name = ""
        for raw in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let line = String(decoding: raw, as: UTF8.self)
            if line.hasPrefix("Name: ") { name = String(line.dropFirst(6)) }
            if line.isEmpty { name = "" }
            guard name.contains("password"), line.hasPrefix("Value: ") else { continue }
            let value = Lines.trimmed(line.dropFirst(7))
            // Questions whether a password is wanted have such names too.
            guard !value.isEmpty, !["true", "false"].contains(value) else { continue }
            found.append((BytePath.text(name.utf8.prefix(80)), value))
        }
        return found
    }

    private static let database = Rule(
        "H-51", "Every package is fully installed, and has what it depends on.",
        family: .debian,
        reason: "apt refuses to install or upgrade anything in such an instance.",
        hint: "run 'dpkg --configure -a' and 'apt-get --fix-broken install'",
        checks: [
            Check("status") { image in
                let sound = ["install ok installed", "hold ok installed", "deinstall ok config-files"]
                return DpkgStatus(image).packages.filter { !sound.contains($0.status) }.map {
                    Observation("/var/lib/dpkg/status", "the package '\($0.shownName)' is not fully installed")
                }
            },
            Check("dependencies") { image in
                let status = DpkgStatus(image)
                return status.packages.filter(\.isInstalled).flatMap { package in
                    status.missing(for: package).map {
                        Observation("/var/lib/dpkg/status", "the package '\(package.shownName)' needs \($0)")
                    }
                }
            },
            .emptyFolder("/var/lib/dpkg/updates"),
            Check("status") { image in
                guard image.tree.find("/var/lib/dpkg") != nil, DpkgStatus(image).packages.isEmpty else { return [] }
                return [Observation("/var/lib/dpkg/status", "it lists no package")]
            },
        ])
}
