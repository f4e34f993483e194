/// The options that a command line may have.
struct NetinstallGrammar {
    struct Option {
        /// The long one last, which is the full name.
        var names: [String]
        var takesValue = false
        /// All that it takes; nil: anything.
        var choices: [String]?
        /// Whether 1.0.2 has it, so that it may be cut short.
        var isOld = true

        var name: String { names.last ?? "" }
    }

    var options: [Option]

    static let help = "--help"

    /// In the order of 1.0.2's usage, in which argparse names what an abbreviation could mean.
    static let old = [
        Option(names: ["-h", help]),
        Option(names: ["-c", "--cache-dir"], takesValue: true),
        Option(names: ["-f", "--format"], takesValue: true, choices: ["qcow2", "raw"]),
        Option(names: ["--image-size"], takesValue: true),
        Option(names: ["--mac"], takesValue: true),
        Option(names: ["--installer-logs"]),
        Option(names: ["--no-installer-logs"]),
        Option(names: ["--log-file"]),
        Option(names: ["--no-log-file"]),
        Option(names: ["--log-filename"], takesValue: true),
    ]

    static let build = NetinstallGrammar(
        options: old + [
            Option(names: ["--set"], takesValue: true, isOld: false),
            Option(names: ["--offline"], isOld: false),
            Option(names: ["--locked"], isOld: false),
            Option(names: ["-o", "--output"], takesValue: true, isOld: false),
            Option(names: ["-j", "--jobs"], takesValue: true, isOld: false),
            Option(names: ["--update-lock"], isOld: false),
            Option(names: ["--sign-key"], takesValue: true, isOld: false),
            Option(names: ["--sign-password-file"], takesValue: true, isOld: false),
            Option(names: ["-v", "--verbose"], isOld: false),
            Option(names: ["-q", "--quiet"], isOld: false),
            Option(names: ["--plain"], isOld: false),
            Option(names: ["--json"], isOld: false),
        ])

    static let usage = """
        usage: image-factory [-h] [-c CACHE_DIR] [-f {qcow2,raw}]
                             [--image-size IMAGE_SIZE] [--mac MAC] [--installer-logs]
                             [--no-installer-logs] [--log-file] [--no-log-file]
                             [--log-filename LOG_FILENAME]
                             [image]

        """
}
