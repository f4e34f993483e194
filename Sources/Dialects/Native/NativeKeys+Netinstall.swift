import Model

extension NativeKeys {
    static let netinstall: [ShapeKey] = [
        ShapeKey("kernel", source, "The installer's kernel; with initrd."),
        ShapeKey("initrd", source, "The installer's initrd."),
        ShapeKey("image", source, "An installation image, in place of kernel and initrd, which are taken out of it."),
        ShapeKey("preseed", .text(anyText), "An answer file for the Debian installer, relative to the definition."),
        ShapeKey("kickstart", .text(anyText), "One for Fedora and the RHEL family."),
        ShapeKey("autoyast", .text(anyText), "One for openSUSE and SLES."),
        ShapeKey("autoinstall", .text(anyText), "One for Ubuntu's installer of 22.04 and later."),
        ShapeKey("append", .text(anyText), "Further arguments of the installer's kernel."),
        ShapeKey("memory", .text(size), "The memory of the installing machine; 2G by default."),
        ShapeKey(
            "cpus", .text(TextRule("a number of processors", "[0-9]{1,3}", example: "2")),
            "Its processors; 1 by default."),
        ShapeKey(
            "mac", .text(TextRule("a MAC address", "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", example: "52:54:00:12:34:56")),
            "Its MAC address."),
        ShapeKey(
            "network", .choice(Netinstall.Network.allCases.map(\.rawValue)),
            "proxy, the default: the machine reaches only the package proxy; or open."),
        ShapeKey(
            "hypervisor", .choice(Netinstall.Hypervisor.allCases.map(\.rawValue)),
            "qemu, the default, or libvirt for virt-install and virsh."),
        ShapeKey(
            "partitions", .choice(Netinstall.PartitionRule.allCases.map(\.rawValue)),
            "linux, the default: exactly one partition with a Linux filesystem; or strict: one."),
        ShapeKey(
            "limit", .text(lengthOfTime),
            "The most time for the installation; 2h by default, 8h without KVM."),
    ]

    static let location = TextRule(
        "a path or a file, http, https or rsync URI", example: "https://deb.debian.org/debian/dists/trixie/InRelease",
        mayBeSecret: true)

    static let checksum = TextRule(
        "a checksum", "([A-Za-z0-9_-]+:)?[0-9a-fA-F]{32,128}", example: "sha512:0123…")

    private static let source = Shape.either([
        .text(location),
        .map([
            ShapeKey("url", .text(location), "Where it is; a path is relative to the definition.", required: true),
            ShapeKey(
                "checksum",
                .text(checksum),
                "What its bytes are: digits, or the function's name before them."),
            ShapeKey("checksums", .map(checksums), "A file that says what its bytes are."),
        ]),
    ])

    static let checksums: [ShapeKey] = [
        ShapeKey("file", .text(location), "A file such as SHA256SUMS.", required: true),
        ShapeKey("name", .text(anyText), "How it calls the file; the end of the file's url by default."),
        ShapeKey("keyring", .text(anyText), "OpenPGP keys, of which one must have signed it."),
        ShapeKey("signature", .text(location), "That signature, if it is not in the file itself."),
    ]

    static let destination: [ShapeKey] = [
        ShapeKey(
            "rsync", .text(TextRule("a target of rsync", "\\S.*", example: "me@host:/srv/images/", mayBeSecret: true)),
            "Where to.", required: true),
        ShapeKey("name", .text(name), "What messages call it; rsync by default."),
        ShapeKey("args", .list(.text(anyText)), "Arguments for rsync."),
        ShapeKey(
            "commands", .list(.list(.text(anyText), mayBeEmpty: false)),
            "Programs with arguments that run afterwards; ${image} is the image's name.", keepsUnknownVariables: true),
    ]
}
