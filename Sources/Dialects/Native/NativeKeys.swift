import Model

/// The keys of a native definition: the one source of what is checked, completed by editors and documented.
enum NativeKeys {
    static let root: [ShapeKey] = [
        ShapeKey("name", .text(name), "The image's name; files are called NAME-VERSION.FORMAT.", required: true),
        ShapeKey(
            "version", .text(name), "The image's version, taken as it is written: 9.10 stays 9.10.", required: true),
        ShapeKey("os", .map(os), "The operating system.", required: true),
        ShapeKey("base", .map(base), "Where the first tree comes from; a bootstrap from packages by default."),
        ShapeKey("disk", .map(disk), "The disk."),
        ShapeKey(
            "hostname",
            .text(
                TextRule(
                    "a host name", "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
                    example: "web.example.org", maximum: 253)),
            "The host name until something else sets one; localhost by default."),
        ShapeKey(
            "locale",
            .text(
                TextRule(
                    "a locale", "(C|POSIX|[a-z]{2,3}_[A-Z]{2})(\\.[A-Za-z0-9-]+)?(@[a-z]+)?", example: "en_US.UTF-8")),
            "The locale; C.UTF-8 by default."),
        ShapeKey(
            "timezone", .text(TextRule("a time zone", "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", example: "Europe/Berlin")),
            "The time zone; Etc/UTC by default."),
        ShapeKey(
            "packages", .list(.text(package)),
            "Packages to install; kernel and boot loader come by themselves."),
        ShapeKey(
            "apt_sources", .list(.map(aptSource)),
            "The image's package sources, in place of the distribution's public ones."),
        ShapeKey("files", .list(.map(file)), "Files that the image shall have."),
        ShapeKey(
            "commands", .list(.either([.text(script), .map(command)])),
            "Shell commands, run in the tree without network, or at an instance's first boot.",
            keepsUnknownVariables: true),
        ShapeKey("users", .list(.map(user)), "Users that the image shall have."),
        ShapeKey(
            "cloud_init", .map(cloudInit),
            "Settings of cloud-init; of a base image, how one boot with it sets the image up."),
        ShapeKey(
            "reset", .either([.text(operations), .list(.text(operations), mayBeEmpty: false), .map(reset)]),
            "What is taken from a base image before it is published, so that it can be cloned; nothing by default."),
        ShapeKey(
            "kernel_arguments",
            .list(.text(TextRule("a kernel argument", "[A-Za-z0-9_.,:;=/@+%-]+", example: "net.ifnames=0"))),
            "Added to the kernel's command line after the consoles."),
        ShapeKey(
            "outputs", .list(.either([.choice(formats), .map(output)]), mayBeEmpty: false),
            "The files to make; qcow2 by default."),
        ShapeKey(
            "boot_check", .either([.flag, .map(bootCheck)]),
            "Whether the finished image is booted to prove it; true by default."),
        ShapeKey("verify", .map(verify), "The check of the finished disk."),
        ShapeKey(
            "secrets", .list(.map(secret)),
            "Texts that commands find in /run/secrets and the image must not have; each has one of env, file and secret."
        ),
        ShapeKey("sign", .map(sign), "How what is published is signed; not by default."),
        ShapeKey(
            "publish", .list(.map(destination)),
            "Where the finished files are taken, in the order in which that is done."
        ),
        ShapeKey("variables", .variables, "Values for ${name} in this definition, which --set replaces."),
    ]

    static let name = TextRule("a name of letters, digits, '.', '_' and '-'", "[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
    static let package = TextRule("a package name", "[a-z0-9][a-z0-9+.-]+", example: "openssh-server", maximum: 128)
    static let size = TextRule("a size", "[0-9]+(\\.[0-9]+)? ?([kKMGT]i?)?B?", example: "20G", maximum: 32)
    static let path = TextRule("an absolute path", "/[^/\\u0000].*", example: "/etc/motd")
    static let anyText = TextRule("a text")
    static let longText = TextRule("a text", mayHaveLines: true, maximum: 1 << 20)
    static let script = TextRule("a shell command", mayHaveLines: true, maximum: 1 << 20)
    static let uri = TextRule(
        "an http, https or file URI without credentials", "(https?://[^\\s/@]+(/[^\\s]*)?|file:///[^\\s]*)",
        example: "http://deb.debian.org/debian", mayBeSecret: true)
    static let formats = Output.Format.allCases.map(\.rawValue)

    private static let account = TextRule("a user or group name or number", "([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9})")
    private static let owner = TextRule(
        "a user, or USER:GROUP", "([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9})(:([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9}))?",
        example: "root:adm")
    private static let userName = TextRule("a user name", "[a-z_][a-z0-9_-]{0,31}")
    private static let word = TextRule("a word", "[A-Za-z0-9][A-Za-z0-9._/+-]*", maximum: 128)

    private static let os: [ShapeKey] = [
        ShapeKey(
            "distribution", .text(word), "debian or ubuntu; any for an installation or a base image.", required: true),
        ShapeKey("release", .text(word), "Code name or number: trixie or 13.", required: true),
        ShapeKey("architecture", .text(word), "amd64, the default."),
    ]

    private static let base: [ShapeKey] = [
        ShapeKey(
            "bootstrap",
            .map([
                ShapeKey(
                    "mirror", .text(uri),
                    "The archive to build from; the host's own or the public one by default. Never in the image."),
                ShapeKey("security_mirror", .text(uri), "The same for the security archive."),
                ShapeKey(
                    "components", .list(.text(word), mayBeEmpty: false),
                    "Components of the archive; the distribution's default."),
                ShapeKey(
                    "keyring", .text(path), "A keyring file in place of the distribution's keyring package."),
            ]), "Install packages into an empty folder."),
        ShapeKey(
            "netinstall", .map(netinstall), "Let the distribution's own installer install in a virtual machine."),
        ShapeKey("image", image, "Start from a disk image that somebody else made."),
    ]

    private static let disk: [ShapeKey] = [
        ShapeKey(
            "size",
            .either([
                .text(TextRule("'automatic' or a size", "automatic|" + (size.pattern ?? ""), example: "20G")),
                .map([ShapeKey("automatic", .text(size), "Free space beside what the tree needs.", required: true)]),
            ]), "automatic, the default, or a size; of a base image automatic is the size that it has."),
        ShapeKey("table", .choice(DiskLayout.Table.allCases.map(\.rawValue)), "The partition table; gpt by default."),
        ShapeKey(
            "firmware", .choice(DiskLayout.Firmware.allCases.map(\.rawValue)),
            "What the disk boots under; both by default."),
    ]

    private static let aptSource: [ShapeKey] = [
        ShapeKey("name", .text(name), "The file's name in /etc/apt/sources.list.d.", required: true),
        ShapeKey("uris", .list(.text(uri), mayBeEmpty: false), "Archives.", required: true),
        ShapeKey("suites", .list(.text(word), mayBeEmpty: false), "Suites.", required: true),
        ShapeKey("components", .list(.text(word), mayBeEmpty: false), "Components.", required: true),
        ShapeKey(
            "signed_by",
            .text(
                TextRule(
                    "an armored OpenPGP key, or the path of a keyring in the image",
                    "(/[^\\s]+|-----BEGIN PGP PUBLIC KEY BLOCK-----[\\s\\S]*-----END PGP PUBLIC KEY BLOCK-----\\s*)",
                    mayHaveLines: true, maximum: 1 << 18)),
            "The key that signs it.", required: true),
    ]

    private static let file: [ShapeKey] = [
        ShapeKey("path", .text(path), "Where it is in the image.", required: true),
        ShapeKey("content", .text(longText), "What is in it.", keepsUnknownVariables: true),
        ShapeKey("source", .text(anyText), "A local file, relative to the definition, in place of content."),
        ShapeKey("owner", .text(owner), "USER or USER:GROUP; root:root by default."),
        ShapeKey("group", .text(account), "The group, if owner does not say it."),
        ShapeKey("mode", .text(TextRule("an octal mode", "0?[0-7]{3,4}", example: "0644")), "0644 by default."),
    ]

    private static let command: [ShapeKey] = [
        ShapeKey("run", .text(script), "The command, for /bin/sh -e.", required: true, keepsUnknownVariables: true),
        ShapeKey(
            "when", .choice(CommandChange.Moment.allCases.map(\.rawValue)), "build, the default, or first-boot."),
    ]

    private static let user: [ShapeKey] = [
        ShapeKey("name", .text(userName), "The user's name.", required: true),
        ShapeKey("uid", .text(TextRule("a number up to 65535", "[0-9]{1,5}")), "The user's number."),
        ShapeKey("comment", .text(TextRule("a text without ':'", "[^:]*", maximum: 256)), "The full name."),
        ShapeKey("groups", .list(.text(account)), "Further groups."),
        ShapeKey("shell", .text(path), "The shell; /bin/bash by default."),
        ShapeKey(
            "ssh_keys",
            .list(
                .text(
                    TextRule(
                        "a public key as in authorized_keys",
                        "[a-z0-9@.-]+ [A-Za-z0-9+/]{16,}={0,3}( .*)?", example: "ssh-ed25519 AAAA… me", maximum: 16384))
            ),
            "Keys for logging in by ssh."),
        ShapeKey(
            "sudo", .either([.text(anyText), .list(.text(anyText))]), "Rules, such as ALL=(ALL) NOPASSWD:ALL."),
        ShapeKey(
            "password_hash",
            .text(
                TextRule(
                    "a crypt(3) hash, as 'openssl passwd -6' prints it", "\\$[A-Za-z0-9]+\\$[^\\s:]+",
                    mayBeSecret: true, maximum: 512)),
            "The password's hash; without one, the password is locked."),
    ]

    private static let output: [ShapeKey] = [
        ShapeKey("format", .choice(formats), "The format.", required: true),
        ShapeKey(
            "compression", .choice([Output.Compression.zstd, .zlib].map(\.rawValue)),
            "Of qcow2: zstd, the default, or zlib."
        ),
    ]

    private static let sign: [ShapeKey] = [
        ShapeKey(
            "key", .text(anyText),
            "A secret key of minisign, relative to the definition, as 'minisign -G -W' makes it.",
            required: true),
        ShapeKey(
            "password_file", .text(anyText),
            "A file with the key's password, relative to the definition, if it has one."
        ),
    ]

    private static let verify: [ShapeKey] = [
        ShapeKey("waivers", .list(.map(waiver)), "Rules that the image may break; they stand in the manifest."),
        ShapeKey("strict", .flag, "Whether warnings are violations too; false by default."),
    ]

    private static let waiver: [ShapeKey] = [
        ShapeKey(
            "rule", .text(TextRule("the id of a rule", "[A-Za-z]+-[0-9]+", example: "H-24", maximum: 32)),
            "The rule's id, as docs/verify.md has it.", required: true),
        ShapeKey(
            "reason", .text(TextRule("a reason", "[\\s\\S]*\\S[\\s\\S]*")), "Why it may be broken.", required: true),
    ]

    private static let secret: [ShapeKey] = [
        ShapeKey(
            "name", .text(TextRule("a name in lower case", "[a-z0-9][a-z0-9._-]{0,63}", example: "repository-token")),
            "The name of the file below /run/secrets.", required: true),
        ShapeKey(
            "env", .text(TextRule("the name of a variable", "[A-Za-z_][A-Za-z0-9_]*", example: "TOKEN")),
            "The environment variable that has it."),
        ShapeKey("file", .text(anyText), "A local file that has it, relative to the definition."),
        ShapeKey(
            "secret", .text(TextRule("a text", mayHaveLines: true, mayBeSecret: true, maximum: 1 << 16)),
            "The secret itself, at least 8 bytes."),
    ]

    static let lengthOfTime = TextRule("a length of time", "[0-9]{1,6}[smh]", example: "10m")

    private static let bootCheck: [ShapeKey] = [
        ShapeKey(
            "limit", .text(lengthOfTime),
            "The most time for one boot; 10m by default.", required: true)
    ]
}
