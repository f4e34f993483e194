import Dialects
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands

/// The pages in man/ are made from what `--help` and the table of keys are made from, so that they cannot disagree.
@Suite struct ManualPageTests {
    private static let folder = RepositoryFiles.root.appending("man")

    private func expect(_ page: String, _ text: String) throws {
        let path = Self.folder.appending(page)
        if Golden.isUpdating { try Scratch.write(text, path) }
        #expect(try Scratch.read(path) == text)
    }

    @Test func `The page of the program has every command and option`() async throws {
        let result = try await CommandRunner().run(
            Command(builtExecutable().string, ["--experimental-dump-help"]))
        let help = try Canonical.decode(HelpDump.self, from: result.standardOutput).command
        try expect("image-factory.1", ProgramPage(help).text)
    }

    @Test func `The page of the configuration has every key`() throws {
        try expect("image-factory.conf.5", ConfigurationPage.text)
    }

    @Test func `The page of the sudo helper says that it does nothing`() throws {
        try expect("image-factory-sudo-helper.1", SudoHelperPage.text)
    }

    @Test(arguments: ForeignPage.all)
    func `The page of another program has every option of its command lines`(page: ForeignPage) throws {
        try expect(page.program + ".1", page.text)
    }

    @Test(
        arguments: ["image-factory.1", "image-factory.conf.5", "image-factory-sudo-helper.1"]
            + ForeignPage.all.map { $0.program + ".1" })
    func `groff has nothing to say about a page`(page: String) async throws {
        let result = try await CommandRunner(helper: builtExecutable()).run(
            Command("groff", ["-man", "-Tutf8", "-ww", "-z", Self.folder.appending(page).string]))
        #expect(result.succeeded && result.lastLines.isEmpty, "\(result.lastLines)")
    }
}

/// What the argument parser tells of a command.
private struct HelpDump: Decodable {
    struct Name: Decodable {
        var kind: String
        var name: String

        var written: String { (kind == "long" ? "--" : "-") + name }
    }

    struct Argument: Decodable {
        var kind: String
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var defaultValue: String?
        var allValues: [String]?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool
        var sectionTitle: String?
    }

    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var arguments: [Argument]?
        var subcommands: [Command]?
    }

    var command: Command
}

private struct ProgramPage {
    private let root: HelpDump.Command

    init(_ root: HelpDump.Command) { self.root = root }

    var text: String {
        Roff.head("image-factory", "1", "build golden images for virtual machines, without root")
            + """
            .SH SYNOPSIS
            .B image\\-factory
            .RI [ COMMAND ]\\& " " [ OPTION ...]\\& " " DEFINITION
            .br
            .B image\\-factory
            .RI [ OPTION ...]\\& " " [ IMAGE ]
            .SH DESCRIPTION
            A definition is a YAML file, given by its path. An image is a section of
            .BR image\\-factory.conf (5),
            given by its name or by the variable IMAGE. Without a command it is
            .BR build .
            .SH COMMANDS

            """ + (root.subcommands ?? []).filter { $0.commandName != "help" }.map(command).joined() + Self.end
    }

    private static let end = """
        .SH ENVIRONMENT
        .TP
        .B IMAGE
        The image to build, if the command line names none.
        .TP
        .B IMAGE_FACTORY_CONFIG
        The only configuration file.
        .TP
        .B RSYNC_PASSWORD
        A password for uploads.
        .TP
        .B SOURCE_DATE_EPOCH
        The newest time that files of an image get.
        .TP
        .B XDG_CACHE_HOME
        The folder in which the store is.
        .SH EXIT STATUS
        0 if all is well; that of the program for uploads or of a command of the configuration if it failed; 1 for other
        failures of an image of image\\-factory.conf, and for a violation; 2 for a mistake in 1.0.2's command line; 64
        to 78 for other failures, as in sysexits.h; 130 after Ctrl\\-C.
        .SH SEE ALSO
        .BR image\\-factory.conf (5),
        .BR image\\-factory\\-sudo\\-helper (1),
        .BR gen\\-vm\\-image (1),
        .BR configure\\-vm\\-image (1)

        """

    private func command(_ command: HelpDump.Command) -> String {
        let arguments = (command.arguments ?? []).filter { $0.shouldDisplay && $0.names?.first?.name != "h" }
        let positionals = arguments.filter { $0.kind == "positional" }.map { argument in
            let name = Roff.italic((argument.valueName ?? "").uppercased()) + (argument.isRepeating ? "\\&..." : "")
            return argument.isOptional ? "[" + name + "]" : name
        }
        var text =
            ".SS \"\(([Roff.text("image-factory " + command.commandName)] + positionals).joined(separator: " "))\"\n"
        text += Roff.text(command.abstract ?? "") + "\n"
        if let discussion = command.discussion { text += ".PP\n" + Roff.text(discussion) + "\n" }
        for argument in arguments where !["help", "version"].contains(argument.names?.last?.name) {
            text += ".TP\n" + head(argument) + "\n" + Roff.text(body(argument)) + "\n"
        }
        return text
    }

    private func head(_ argument: HelpDump.Argument) -> String {
        guard let names = argument.names, argument.kind != "positional" else {
            return Roff.italic((argument.valueName ?? "").uppercased())
        }
        let written = names.map { Roff.bold($0.written) }.joined(separator: ", ")
        return argument.kind == "flag" ? written : written + " " + Roff.italic((argument.valueName ?? "").uppercased())
    }

    private func body(_ argument: HelpDump.Argument) -> String {
        var text = argument.abstract ?? ""
        if let values = argument.allValues, !values.isEmpty { text += " One of \(values.joined(separator: ", "))." }
        if let value = argument.defaultValue, argument.kind == "option" { text += " By default \(value)." }
        return text
    }
}

private enum ConfigurationPage {
    static var text: String {
        Roff.head("image-factory.conf", "5", "images that distributions' installers make")
            + """
            .SH DESCRIPTION
            .I /etc/image\\-factory.conf
            and
            .I \\(ti/.config/image\\-factory.conf
            are read, the second over the first; if IMAGE_FACTORY_CONFIG is set, only the file that it names. A section
            is an image, and
            .B [DEFAULT]
            is inherited by all. Options of the command line win.
            .PP
            The text follows the rules of Python's ConfigParser with ExtendedInterpolation:
            .B ${key}
            is another key's value,
            .B ${section:key}
            that of another section, and
            .B $$
            a dollar sign. Keys that are none of these are variables. Sizes are 512M, 1.5G, 512 MiB or 2 GB.
            .SH KEYS OF AN IMAGE

            """ + INIKeys.image.map(key).joined() + ".SH KEYS OF A DESTINATION\n"
            + INIKeys.destination.map(key).joined()
                + """
                .SH FILES
                An image leaves
                .IR IMAGE \\- DATE . FORMAT
                and its
                .I .sha256sum
                in the current folder, a manifest and a statement of its provenance beside them, and the log if it is asked
                for.
                .SH SEE ALSO
                .BR image\\-factory (1)

                """
    }

    private static func key(_ key: INIKey) -> String {
        let standard = key.standard.map { " Without it: \($0)." } ?? ""
        return ".TP\n\(Roff.bold(key.name))\n\(Roff.text(key.summary + standard))\n"
    }
}

private enum SudoHelperPage {
    static var text: String {
        Roff.head(SudoHelper.name, "1", "refuses what image-factory 1.0.2 did as root")
            + """
            .SH SYNOPSIS
            .B image\\-factory\\-sudo\\-helper
            .I COMMAND
            .RI [ ARGUMENT ...]
            .SH DESCRIPTION
            image\\-factory 1.0.2 called this program by sudo to mount images, to unmount them and to change modes in them.
            image\\-factory needs no privileges any more and never calls it. It is there so that rules of sudo which name
            it stay valid. It knows the commands that were allowed, does none of them, and says so. If DRYRUN is set in
            the environment, it prints an allowed command, as ever.
            .SH EXIT STATUS
            1, and 0 for an allowed command if DRYRUN is set.
            .SH SEE ALSO
            .BR image\\-factory (1)

            """
    }
}
