import Model
import Testing

@testable import Commands

/// The manual of a program that image-factory stands for: the words of `--help` and what its exit statuses mean.
struct ForeignPage: CustomTestStringConvertible, Sendable {
    var program: String
    /// What it does, behind the dash.
    var title: String
    var grammars: [ArgparseGrammar]
    /// Of the newest command line.
    var statuses: [(codes: String, meaning: String)]
    /// Of the first command line, in a sentence.
    var olderStatuses: String
    var examples: [(command: String, meaning: String)]
    var files: String

    var testDescription: String { program }

    var text: String {
        var text = Roff.head(program, "1", title) + ".SH SYNOPSIS\n"
        text += grammars.map(synopsis).joined(separator: ".br\n")
        text += ".SH DESCRIPTION\n"
        text += "The command lines are those of the program of this name; what does the work is\n"
        text += ".BR image\\-factory (1).\n"
        for paragraph in grammars[0].summary { text += ".PP\n" + Roff.text(paragraph) + "\n" }
        for grammar in grammars { text += section(grammar, isFirst: grammar.program == grammars[0].program) }
        text += ".SH EXIT STATUS\n"
        for (codes, meaning) in statuses { text += ".TP\n.B \(codes)\n\(Roff.text(meaning))\n" }
        text += ".PP\n" + Roff.text(olderStatuses) + "\n"
        text += ".SH FILES\n" + Roff.text(files) + "\n.SH EXAMPLES\n"
        for (command, meaning) in examples {
            text += ".TP\n\(Roff.bold(command))\n\(Roff.text(meaning))\n"
        }
        return text + ".SH SEE ALSO\n.BR image\\-factory (1),\n.BR qemu\\-img (1),\n.BR cloud\\-init (1)\n"
    }

    private func synopsis(_ grammar: ArgparseGrammar) -> String {
        let words = grammar.positionals.map { Roff.italic($0.name) }
        let commands = grammar.commands.isEmpty ? [] : [Roff.italic("COMMAND") + " ..."]
        return ([Roff.bold(grammar.program), "[" + Roff.italic("OPTION") + " ...]"] + words + commands)
            .joined(separator: " ") + "\n"
    }

    private func section(_ grammar: ArgparseGrammar, isFirst: Bool) -> String {
        let isOlder = grammar.positionals.isEmpty && grammar.commands.isEmpty
        var text =
            ".SH \"\(isOlder ? "OPTIONS OF THE OLDER PROGRAM" : "OPTIONS OF \(Roff.text(grammar.program.uppercased()))")\"\n"
        if !isFirst { text += grammar.summary.map { Roff.text($0) + "\n" }.joined(separator: ".PP\n") }
        for word in grammar.positionals + grammar.commands {
            text += ".TP\n\(Roff.italic(word.name))\n\(Roff.text(word.help))\n"
        }
        for option in grammar.options {
            let names = option.names.map(Roff.bold).joined(separator: ", ")
            let value = option.placeholder.map { " " + Roff.italic($0) } ?? ""
            text += ".TP\n\(names)\(value)\n\(Roff.text(option.sentence))\n"
        }
        return text
    }

    static let all = [generation, configuration]

    private static let generation = ForeignPage(
        program: GenVMImage.name, title: "make disk images for virtual machines", grammars: GenVMImageGrammar.all,
        statuses: [
            ("0", "all images are there"), ("1", "a file was not found"),
            ("2", "a file cannot be read, or is no architecture file; also a mistake in the command line"),
            ("3", "a file cannot be made; also an input that no tool may open"), ("4", "something is missing"),
            ("5", "something has a wrong type"), ("6", "a checksum is another one, or cannot be computed"),
            ("7", "the size cannot be set"), ("8", "the finished image is not sound"), ("10", "a download failed"),
            ("130, 143", "it was interrupted by SIGINT or SIGTERM"),
        ],
        olderStatuses: "Of the older program: 0, and 255 for an architecture file that cannot be read or has no owner "
            + "or images, 254 for a missing attribute, 253 and 252 for a wrong checksum section, 251 for a checksum "
            + "that cannot be computed, 250 for another checksum, 1 for all other failures.",
        examples: [
            ("gen-vm-image single web 20G -i https://example.org/cloud.qcow2", "an image of 20 GiB made of a download"),
            ("gen-vm-image multiple architecture.yml --overwrite", "all images of a file, those that are there too"),
            (
                "gen-vm-image --architecture-path architecture.yml --image-output-path images/",
                "the same as the older program did it, into a folder"
            ),
        ],
        files:
            "architecture.yml has a map 'images'; of each image 'name', 'size', 'version', 'format' and 'input' with "
            + "'path' or 'url', 'format' and 'checksum'. The older program has 'get_url' and 'checksum' in place of "
            + "'input'.")

    private static let configuration = ForeignPage(
        program: ConfigureVMImage.name, title: "set a disk image up by cloud-init",
        grammars: ConfigureVMImageGrammar.all,
        statuses: [
            ("0", "the image is configured"),
            ("1", "a file was not found, or a program that is needed"),
            ("2", "a file cannot be read; also a mistake in the command line"),
            ("3", "a file or the seed cannot be made"),
            (
                "4",
                "the guest was not set up; the message begins with the reason: "
                    + CloudSetupFailure.allCases.map(\.rawValue).joined(separator: ", ")
            ),
            ("5", "the disk cannot be reset, there is no operation of a name, or none is left"),
            ("6", "a value of the template has no key or no value"), ("7", "a value of an option is none"),
            ("10", "the finished image is not sound"), ("130, 143", "it was interrupted by SIGINT or SIGTERM"),
        ],
        olderStatuses: "Of the older program: 0, 1 for a folder that cannot be made, 2 for a missing file or a seed "
            + "that cannot be made, also for a mistake in the command line, 3 if the guest was not set up, 4 if the "
            + "disk cannot be reset.",
        examples: [
            ("configure-vm-image web.qcow2", "by the files in cloud-init/, in place"),
            (
                "configure-vm-image web.qcow2 --output done.qcow2 --network none --timeout 10m",
                "into another file, without network"
            ),
            (
                "configure-vm-image web.qcow2 --reset-operations defaults,-ssh-hostkeys",
                "with the host keys that the guest made"
            ),
            (
                "configure-vm-image web.qcow2 -cv-orch libvirt -cv-tv num_vcpus=2,memory_size=4096MiB",
                "in a machine of libvirt"
            ),
        ],
        files: "cloud-init/ has user-data, meta-data, vendor-data and network-config, of the older program "
            + "cloud-init-config/ the first three. Where meta-data is missing, it is made with an instance-id that no "
            + "other image has.")
}
