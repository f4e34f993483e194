import Model

/// The command line of an installer's kernel.
enum InstallerCommandLine {
    /// What a kernel takes: COMMAND_LINE_SIZE of x86, with the NUL.
    private static let limit = 2048
    /// The order in which the answer files are told of.
    private static let order: [AnswerFile.Kind] = [.autoyast, .kickstart, .preseed, .autoinstall]

    /// Throws for a line that is too long.
    ///
    /// - Parameter isWatched: whether somebody looks at the screen; then it is the console, else the serial port.
    static func text(_ action: InstallAction, isWatched: Bool) throws -> String {
        var words: [String] = []
        for kind in order {
            for answers in action.answers where answers.kind == kind { words += Self.words(for: answers) }
        }
        if !action.append.split(whereSeparator: \.isWhitespace).contains(where: { $0.hasPrefix("console=") }) {
            let consoles = ["console=tty0", "console=ttyS0,115200"]
            words += isWatched ? consoles.reversed() : consoles
        }
        if !action.append.isEmpty { words.append(action.append) }
        let line = words.joined(separator: " ")
        guard line.utf8.count < limit else {
            throw FactoryError(
                .definition, "the installer's kernel arguments have \(line.utf8.count) bytes; it takes \(limit - 1)",
                remedy: "shorten 'append', or move some of it to the answer file")
        }
        return line
    }

    private static func words(for answers: InstallAction.Answers) -> [String] {
        switch answers.kind {
        case .preseed: ["preseed/url=file:///\(answers.name)"]
        case .kickstart: ["inst.ks=file:///\(answers.name)", "ks=file:///\(answers.name)"]
        case .autoyast: ["autoyast=file:///\(answers.name)"]
        case .autoinstall: ["autoinstall", "ds=nocloud"]
        }
    }
}
