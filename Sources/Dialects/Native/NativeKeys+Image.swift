import Model

extension NativeKeys {
    static let image = Shape.either([
        .text(location),
        .map([
            ShapeKey("url", .text(location), "Where it is."),
            ShapeKey("path", .text(anyText), "A local file, relative to the definition, in place of url."),
            ShapeKey(
                "checksum", .either([.text(checksum), .map(typedChecksum)]),
                "What its bytes are: digits, or the function's name before them."),
            ShapeKey("checksums", .map(checksums), "A file that says what its bytes are."),
            ShapeKey(
                "format", .choice(ImageFormat.allCases.map(\.rawValue)),
                "The format that it must have; by default its header tells, in a compressed file, too."),
            ShapeKey(
                "allow_shrink", .flag,
                "Whether the disk may become smaller than the image's, which cuts off what lies behind; false by default."
            ),
        ]),
    ])

    private static let typedChecksum: [ShapeKey] = [
        ShapeKey(
            "type", .text(TextRule("the name of a hash function", "[A-Za-z0-9_-]+", example: "sha512")),
            "The function's name.", required: true),
        ShapeKey(
            "value", .text(TextRule("hexadecimal digits", "[0-9a-fA-F]{32,128}")), "The digits.", required: true),
    ]

    static let cloudInit: [ShapeKey] = [
        ShapeKey(
            "datasources", .list(.text(TextRule("a data source", "[A-Za-z0-9]+", example: "NoCloud"))),
            "Where cloud-init looks, in this order. For images made of packages; all others are for a base image."),
        ShapeKey("user_data", .text(anyText), "A file for cloud-init, relative to the definition."),
        ShapeKey("meta_data", .text(anyText), "Another one; it gets an instance-id if it has none."),
        ShapeKey("vendor_data", .text(anyText), "Another one."),
        ShapeKey("network_config", .text(anyText), "Another one."),
        ShapeKey(
            "network", .choice(CloudSetup.Network.allCases.map(\.rawValue)),
            "proxy, the default: the machine reaches only the package proxy; open; or none."),
        ShapeKey(
            "degraded", .choice(CloudSetup.Degradation.allCases.map(\.rawValue)),
            "What is done where cloud-init had errors that it could recover from: warn, the default, or fail."),
        ShapeKey("memory", .text(size), "The memory of the machine; 2G by default."),
        ShapeKey(
            "cpus", .text(TextRule("a number of processors", "[0-9]{1,3}", example: "2")),
            "Its processors; 1 by default."),
        ShapeKey(
            "cpu_model", .text(TextRule("QEMU's name of a processor", "[A-Za-z0-9][A-Za-z0-9._,+=-]*", maximum: 256)),
            "Its kind of processor; host, the default, is the best that there is."),
        ShapeKey(
            "hypervisor", .choice(Netinstall.Hypervisor.allCases.map(\.rawValue)), "qemu, the default, or libvirt."),
    ]

    static let operations = TextRule(
        "operations of virt-sysprep", "-?[a-z][a-z0-9-]*( *, *-?[a-z][a-z0-9-]*)*", example: "defaults,-ssh-userdir")

    static let reset: [ShapeKey] = [
        ShapeKey(
            "operations", .either([.text(operations), .list(.text(operations), mayBeEmpty: false)]),
            "Names of operations, 'defaults' and 'all'; '-' before a name takes it away again.", required: true),
        ShapeKey(
            "host_key_unit", .flag,
            "Whether a unit that makes SSH host keys is installed where nothing in the image would; false by default."),
    ]
}
