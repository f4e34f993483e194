import Model

@testable import Records

enum Record {
    /// A build with one package of each kind that there is, and fixed values throughout.
    static let plain = ImageRecord(
        name: "web", version: "1.0", builder: "0.1.0", distribution: "debian", suite: "trixie", epoch: 1_763_199_635,
        definitionFile: .init(name: "web.yaml", digest: digest("definition file")), definition: digest("definition"),
        variables: ["domain": "example.org", "password": "***"],
        lock: .init(name: "web.lock", digest: digest("lock")), plan: digest("plan"),
        steps: [
            .init(name: "bootstrap", id: digest("bootstrap"), tools: ["mmdebstrap": "1.3.5"]),
            .init(name: "assemble", id: digest("assemble"), tools: [:]),
        ],
        releases: [
            .init(name: "https://archive.example.org/debian/dists/trixie/InRelease", digest: digest("InRelease"))
        ],
        localFiles: [.init(name: "/etc/motd", digest: digest("motd"))],
        packages: [
            package(
                "bash", "5.2.37-2", maintainer: "Matthias Klose <doko@debian.org>",
                homepage: "http://tiswww.case.edu/php/chet/bash/bashtop.html",
                licenses: ["GFDL-NIV-1.3", "GPL-2+ with Bison exception", "GPL-3+"]),
            package(
                "libstdc++6", "1:14.2.0-19", maintainer: "Debian GCC Maintainers <debian-gcc@lists.debian.org>",
                source: "gcc-14", licenses: nil),
            package("tzdata", "2025b-4+deb13u1", architecture: "all", licenses: ["public-domain"]),
            .init(installed: InstalledPackage(name: "local", version: "1~rc1", architecture: "amd64")),
        ],
        artifacts: [
            Artifact(
                file: "web-1.0.qcow2", format: .qcow2, size: .mebi(100), allocated: .mebi(100),
                digest: digest("qcow2")),
            Artifact(
                file: "web-1.0.tar.zst", format: .tarZstd, size: .mebi(90), allocated: .mebi(90),
                digest: digest("tar.zst")),
        ])

    static func digest(_ text: String) -> Digest { Digest(of: Array(text.utf8)) }

    static func package(
        _ name: String, _ version: String, architecture: String = "amd64", maintainer: String? = nil,
        source: String? = nil, homepage: String? = nil, licenses: [String]?
    ) -> ImageRecord.Package {
        let source = source ?? name
        return ImageRecord.Package(
            installed: InstalledPackage(
                name: name, version: version, architecture: architecture, source: source, sourceVersion: version,
                maintainer: maintainer, homepage: homepage, licenses: licenses),
            locked: LockedPackage(
                name: name, version: version, architecture: architecture, digest: digest(name), size: 4711,
                archive: "main", file: "pool/main/\(source.prefix(1))/\(source)/\(name)_\(architecture).deb"),
            archive: "https://archive.example.org/debian")
    }

    /// Texts that packages and definitions of bad will could bring.
    static let hostileTexts = [
        "", " ", "\"}]}", "\\", "\u{0}\u{1b}[2J", "a\u{202e}b", "NONE", "()<>", "Person: (x) <y> <z>", "https://",
        "../..",
        "é日本\u{fffd}", String(repeating: "x", count: 2000), "and", "or or, and", ", , ,", "GPL-2+ and", "(GPL-2",
        "WITH",
        "LicenseRef-x", "DocumentRef-x:LicenseRef-y", "GPL-2+ WITH x", "https://a.b/%zz", "http://[::1]/", "a\tb\nc",
    ]

    /// The plain record with a hostile text in the place of every text of a package.
    static let hostile: ImageRecord = {
        var record = plain
        record.packages += hostileTexts.enumerated().map { at, text in
            var package = package(
                "p\(at)", text, architecture: text, maintainer: text, source: text, homepage: text, licenses: [text])
            package.installed.sourceVersion = text
            package.archive = text
            return package
        }
        return record
    }()
}
