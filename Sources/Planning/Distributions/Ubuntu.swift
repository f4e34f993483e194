extension Distribution {
    /// Ubuntu, https://releases.ubuntu.com: its updates and security suites are in the main archive too.
    static let ubuntu = Distribution(
        name: "ubuntu", title: "Ubuntu", origin: "Ubuntu",
        releases: [release("noble", "24.04"), release("jammy", "22.04")],
        archives: [
            Archive(
                id: "main", publicURI: "http://archive.ubuntu.com/ubuntu", label: "Ubuntu", pathSuffix: "/ubuntu")
        ],
        components: ["main", "universe"],
        keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg", keyringPackage: "ubuntu-keyring",
        kernelPackage: "linux-virtual",
        essentialPackages: ["e2fsprogs", "initramfs-tools", "systemd-sysv", "udev", "zstd"])

    private static func release(_ codename: String, _ number: String) -> Release {
        Release(
            codename: codename, aliases: [number],
            suites: ["", "-updates", "-security"].map { Suite(archive: "main", name: codename + $0) })
    }
}
