/// Tells the two forms of the command line apart: subcommands, and 1.0.2's `image-factory [options] [image]`.
enum NetinstallCommandLine {
    enum Outcome: Equatable {
        /// For the argument parser of the subcommands.
        case arguments([String])
        /// For standard error, with `exitStatus`.
        case wrong(String)
    }

    static let exitStatus: Int32 = 2

    /// Subcommands that take an image of the configuration in place of a definition, and with it 1.0.2's options.
    private static let takingImages = ["build", "plan", "explain"]

    /// - Parameters:
    ///   - subcommands: the names of all.
    ///   - image: the value of the variable IMAGE.
    ///   - isPath: whether a name is that of a definition's file.
    static func read(
        _ arguments: [String], subcommands: [String], image: String?, isPath: (String) -> Bool
    ) -> Outcome {
        let first = arguments.first ?? ""
        if takingImages.contains(first) {
            let read = NetinstallArguments(Array(arguments.dropFirst()))
            guard let image = read.image, read.problem == nil, !read.wantsHelp, !isPath(image) else {
                return .arguments(arguments)
            }
            return .arguments(full(first, image, read.settings))
        }
        let isOther = subcommands.contains(first) || first == "help" || first == "--version"
        guard !isOther, !first.hasPrefix("--generate-completion"), !first.hasPrefix("--experimental-") else {
            return .arguments(arguments)
        }
        let read = NetinstallArguments(arguments)
        if let image = read.image, isPath(image) { return .arguments(arguments) }
        if read.wantsHelp { return .arguments([NetinstallGrammar.help]) }
        if let problem = read.problem { return wrong(problem.message) }
        guard let image = read.image ?? image, !image.isEmpty else { return wrong("No image specified.") }
        return .arguments(full("build", image, read.settings))
    }

    private static func full(
        _ command: String, _ image: String, _ settings: [NetinstallArguments.Setting]
    ) -> [String] {
        [command] + settings.map(\.argument) + ["--", image]
    }

    private static func wrong(_ message: String) -> Outcome {
        .wrong(NetinstallGrammar.usage + "image-factory: error: \(message)\n")
    }
}
