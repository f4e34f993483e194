/// The command lines of both generations of gen-vm-image.
enum GenVMImageGrammar {
    static let program = "gen-vm-image"

    /// Of 0.0.8, before the subcommand.
    static let top = ArgparseGrammar(
        program: program,
        summary: [
            "Makes disk images for virtual machines.",
            "Without a command it is the older program, which makes the images of an architecture file by the options "
                + "--architecture-path, --image-output-path, --generated-image-owner, --generate-gocd-config, "
                + "--gocd-config-name, --gocd-build-branch and --gocd-compat.",
        ],
        options: [.help, .init("--version", "-V", kind: .version, help: "print the version and exit")],
        commands: [
            .init("single", "make one image"), .init("multiple", "make the images of an architecture file"),
        ])

    static let single = ArgparseGrammar(
        program: program + " single", summary: ["Makes one image: NAME[-VERSION].FORMAT in the output directory."],
        options: [
            .help,
            .init(
                "-i", "--input",
                help: "a path or a URL: the disk that the image is made of; without it the disk is empty"),
            .init(
                "-if", "--input-format", standard: "what the header says",
                help: "what the input is said to be: its header must agree"),
            .init(
                "-ict", "--input-checksum-type",
                help: "md5, sha1, sha256, sha384, sha512, sha3_224 to sha3_512, blake2b or blake2s"),
            .init(
                "-ic", "--input-checksum", help: "the value, or the path or URL of a list such as SHA256SUMS"),
            .init(
                "-icbs", "--input-checksum-buffer-size", standard: "65536", help: "taken and not needed"),
            .init(
                "-icrb", "--input-checksum-read-bytes", kind: .integer, standard: "all",
                help: "how many bytes from the start the checksum is of; 0 is all"),
            .init("-od", "--output-directory", standard: "generated-images", help: "the folder for the image"),
            .init("-of", "--output-format", standard: "qcow2", help: "qcow2, raw, vmdk, vhd, vhdx or vdi"),
            .init("-V", "--version", standard: "none", help: "the version of the image"),
            .init("--verbose", "-v", kind: .flag, help: "tell what is done"),
            .init("--allow-shrink", kind: .flag, help: "let the disk become smaller than the input"),
        ],
        positionals: [
            .init("name", "what the image is called"),
            .init("size", "of the disk as a guest sees it, such as 10G"),
        ])

    static let multiple = ArgparseGrammar(
        program: program + " multiple", summary: ["Makes the images of an architecture file."],
        options: [
            .help,
            .init("-od", "--output-directory", standard: "generated-images", help: "the folder for the images"),
            .init("--overwrite", kind: .flag, help: "replace images that are there already"),
            .init("--image", standard: "all", help: "the key of the one image of the file that is made"),
            .init("--verbose", "-v", kind: .flag, help: "tell what is done"),
        ],
        positionals: [.init("architecture_path", "the architecture file")])

    /// Of the first program, which had no subcommands.
    static let seed = ArgparseGrammar(
        program: program,
        summary: ["The older program: makes all images of an architecture file, and prints lines."],
        options: [
            .help, .init("--architecture-path", standard: "architecture.yml", help: "the architecture file"),
            .init(
                "--image-output-path", standard: "generated-images/image.qcow2",
                help: "the image's file; for several images a folder, or a pattern with {image}, {name} and {version}"),
            .init(
                "--generated-image-owner", standard: "qemu", help: "the user and group whom root gives the images"),
            .init(
                "--generate-gocd-config", kind: .flag, help: "write pipelines for GoCD when the images are made"),
            .init("--gocd-config-name", standard: "1.gocd.yml", help: "the file for the pipelines"),
            .init("--gocd-build-branch", standard: "main", help: "the Git branch that the pipelines build"),
            .init("--gocd-compat", kind: .flag, help: "spell the pipelines' lock as the older program did"),
        ])

    /// In the order in which a manual has them.
    static let all = [top, single, multiple, seed]
}
