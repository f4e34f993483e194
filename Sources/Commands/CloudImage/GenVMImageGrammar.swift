/// The command lines of both generations of gen-vm-image.
enum GenVMImageGrammar {
    static let program = "gen-vm-image"

    /// Of 0.0.8, before the subcommand.
    static let top = ArgparseGrammar(
        program: program, usage: "usage: gen-vm-image [-h] [--version] {single,multiple} ...\n",
        options: [.init("-h", "--help", kind: .help), .init("--version", "-V", kind: .version)],
        details: """

            Makes disk images for virtual machines.

            options:
              -h, --help         show this help and exit
              --version, -V      print the version and exit

            COMMAND:
              {single,multiple}  make one image, or those of an architecture file

            Without a command it is the older program, which makes the images of an architecture file:

            """)

    static let single = ArgparseGrammar(
        program: program + " single",
        usage: """
            usage: gen-vm-image single [-h] [-i SINGLE_INPUT] [-if SINGLE_INPUT_FORMAT]
                                       [-ict SINGLE_INPUT_CHECKSUM_TYPE]
                                       [-ic SINGLE_INPUT_CHECKSUM]
                                       [-icbs SINGLE_INPUT_CHECKSUM_BUFFER_SIZE]
                                       [-icrb SINGLE_INPUT_CHECKSUM_READ_BYTES]
                                       [-od SINGLE_OUTPUT_DIRECTORY]
                                       [-of SINGLE_OUTPUT_FORMAT] [-V SINGLE_VERSION]
                                       [--verbose] [--allow-shrink]
                                       name size

            """,
        options: [
            .init("-h", "--help", kind: .help), .init("-i", "--input"), .init("-if", "--input-format"),
            .init("-ict", "--input-checksum-type"), .init("-ic", "--input-checksum"),
            .init("-icbs", "--input-checksum-buffer-size"),
            .init("-icrb", "--input-checksum-read-bytes", kind: .integer), .init("-od", "--output-directory"),
            .init("-of", "--output-format"), .init("-V", "--version"), .init("--verbose", "-v", kind: .flag),
            .init("--allow-shrink", kind: .flag),
        ], positionals: ["name", "size"],
        details: """

            options:
              -h, --help            show this help and exit

            One image:
              name                  what the image is called; its file is NAME[-VERSION].FORMAT
              size                  of the disk as a guest sees it, such as 10G
              -i, --input           a path or a URL: the disk that the image is made of; without it the disk is empty
              -if, --input-format   what the input is said to be: its header must agree (default: what the header says)
              -ict, --input-checksum-type
                                    md5, sha1, sha256, sha384, sha512, sha3_224 … sha3_512, blake2b or blake2s
              -ic, --input-checksum
                                    the value, or the path or URL of a list such as SHA256SUMS
              -icbs, --input-checksum-buffer-size
                                    taken and not needed (default: 65536)
              -icrb, --input-checksum-read-bytes
                                    how many bytes from the start the checksum is of (default: all)
              -od, --output-directory
                                    the folder for the image (default: generated-images)
              -of, --output-format  qcow2, raw, vmdk, vhd, vhdx or vdi (default: qcow2)
              -V, --version         the version of the image (default: none)
              --verbose, -v         tell what is done
              --allow-shrink        let the disk become smaller than the input

            """)

    static let multiple = ArgparseGrammar(
        program: program + " multiple",
        usage: """
            usage: gen-vm-image multiple [-h] [-od MULTIPLE_OUTPUT_DIRECTORY]
                                         [--overwrite] [--verbose]
                                         architecture_path

            """,
        options: [
            .init("-h", "--help", kind: .help), .init("-od", "--output-directory"),
            .init("--overwrite", kind: .flag), .init("--verbose", "-v", kind: .flag),
        ], positionals: ["architecture_path"],
        details: """

            options:
              -h, --help            show this help and exit

            The images of a file:
              architecture_path     the architecture file
              -od, --output-directory
                                    the folder for the images (default: generated-images)
              --overwrite           replace images that are there already
              --verbose, -v         tell what is done

            """)

    /// Of the first program, which had no subcommands.
    static let seed = ArgparseGrammar(
        program: program,
        usage: """
            usage: gen-vm-image [-h] [--architecture-path ARCHITECTURE_PATH]
                                [--image-output-path IMAGE_OUTPUT_PATH]
                                [--generated-image-owner GENERATED_IMAGE_OWNER]
                                [--generate-gocd-config] [--gocd-config-name GOCD_CONFIG_NAME]
                                [--gocd-build-branch GOCD_BUILD_BRANCH] [--gocd-compat]

            """,
        options: [
            .init("-h", "--help", kind: .help), .init("--architecture-path"), .init("--image-output-path"),
            .init("--generated-image-owner"), .init("--generate-gocd-config", kind: .flag),
            .init("--gocd-config-name"), .init("--gocd-build-branch"), .init("--gocd-compat", kind: .flag),
        ],
        details: """

            options:
              -h, --help            show this help and exit
              --architecture-path   the architecture file (default: architecture.yml)
              --image-output-path   the image's file; for several images a folder, or a pattern with {image}, {name}
                                    and {version} (default: generated-images/image.qcow2)
              --generated-image-owner
                                    the user and group whom root gives the images (default: qemu)
              --generate-gocd-config
                                    write pipelines for GoCD when the images are made (default: False)
              --gocd-config-name    their file (default: 1.gocd.yml)
              --gocd-build-branch   the Git branch that they build (default: main)
              --gocd-compat         spell the pipelines' lock as the older program did (default: False)

            """)
}
