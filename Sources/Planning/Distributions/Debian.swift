extension Distribution {
    /// Debian, https://www.debian.org/releases/
    static let debian = Distribution(
        name: "debian", title: "Debian", origin: "Debian",
        releases: [
            release("trixie", "13"), release("bookworm", "12"),
        ],
        archives: [
            Archive(
                id: "main", publicURI: "http://deb.debian.org/debian", label: "Debian", pathSuffix: "/debian"),
            Archive(
                id: "security", publicURI: "http://deb.debian.org/debian-security", label: "Debian-Security",
                pathSuffix: "/debian-security"),
        ],
        components: ["main"],
        keyring: "/usr/share/keyrings/debian-archive-keyring.gpg", keyringPackage: "debian-archive-keyring",
        kernelPackage: "linux-image-cloud-amd64",
        essentialPackages: ["e2fsprogs", "initramfs-tools", "systemd-sysv", "udev", "zstd"])

    private static func release(_ codename: String, _ number: String) -> Release {
        Release(
            codename: codename, aliases: [number],
            suites: [
                Suite(archive: "main", name: codename), Suite(archive: "main", name: codename + "-updates"),
                Suite(archive: "security", name: codename + "-security"),
            ])
    }
}
