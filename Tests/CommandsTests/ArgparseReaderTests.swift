import Model
import SystemPackage
import TestSupport
import Testing

@testable import Commands

/// What Python's argparse makes of a command line (scripts/make-argparse-goldens), or how it writes a parser's usage.
struct ArgparseLine: Decodable, CustomTestStringConvertible, Sendable {
    var grammar: String
    var line: [String]
    var usage: String?
    var error: String?
    var help: Bool?
    var version: Bool?
    var values: [String: String]?
    var positionals: [String]?
    var unknown: [String]?

    var testDescription: String { "\(grammar) \(line)" }

    /// Of a program.
    static func all(of program: String) throws -> [ArgparseLine] {
        let path = RepositoryFiles.root.appending("Tests/CommandsTests/Goldens/\(program)-oracle.json")
        return try Canonical.decode([ArgparseLine].self, from: RepositoryFiles.bytes(path))
    }

    /// What was read, with integers as Python writes them.
    var arguments: ArgparseArguments {
        var arguments = ArgparseArguments()
        arguments.values = values ?? [:]
        arguments.positionals = positionals ?? []
        arguments.unrecognized = unknown ?? []
        return arguments
    }
}

@Suite struct ArgparseReaderTests {
    private static let grammars = [
        "single": GenVMImageGrammar.single, "multiple": GenVMImageGrammar.multiple, "seed": GenVMImageGrammar.seed,
        "configure": ConfigureVMImageGrammar.current, "configure-seed": ConfigureVMImageGrammar.seed,
        "configure-old": ConfigureVMImageGrammar.current, "configure-seed-old": ConfigureVMImageGrammar.seed,
    ]

    /// Of a line that was read; of integers Python gives the number, and this its text.
    private func found(_ outcome: ArgparseOutcome) -> ArgparseArguments? {
        guard case .arguments(var found) = outcome else { return nil }
        let key = "--input-checksum-read-bytes"
        found.values[key] = found.values[key].flatMap { PythonInteger.parse($0) }.map { "\($0)" }
        return found
    }

    @Test(arguments: [("gen-vm-image", 940), ("configure-vm-image", 1700)])
    func `Command lines are read as Python's argparse reads them`(program: String, least: Int) throws {
        let lines = try ArgparseLine.all(of: program)
        #expect(lines.count > least)
        for oracle in lines where oracle.usage == nil && !oracle.grammar.hasSuffix("-old") {
            let outcome = ArgparseReader.read(oracle.line, try #require(Self.grammars[oracle.grammar]))
            if let error = oracle.error {
                #expect(outcome == .problem(error), "\(oracle.testDescription)")
            } else if oracle.help == true {
                #expect(outcome == .help, "\(oracle.testDescription)")
            } else if oracle.version == true {
                #expect(outcome == .version, "\(oracle.testDescription)")
            } else {
                #expect(found(outcome) == oracle.arguments, "\(oracle.testDescription): \(outcome)")
            }
        }
    }

    @Test func `Our own options change nothing of what configure-vm-image understands`() throws {
        let lines = try ArgparseLine.all(of: "configure-vm-image").filter {
            $0.grammar.hasSuffix("-old") && $0.error == nil && $0.usage == nil
        }
        #expect(lines.count > 100)
        for oracle in lines {
            let outcome = ArgparseReader.read(oracle.line, try #require(Self.grammars[oracle.grammar]))
            if oracle.help == true {
                #expect(outcome == .help, "\(oracle.testDescription)")
            } else if oracle.version == true {
                #expect(outcome == .version, "\(oracle.testDescription)")
            } else if oracle.unknown == [] {
                #expect(found(outcome) == oracle.arguments, "\(oracle.testDescription): \(outcome)")
            }
        }
    }

    @Test(arguments: ["gen-vm-image", "configure-vm-image"])
    func `The usage is laid out as argparse does`(program: String) throws {
        let lines = try ArgparseLine.all(of: program).filter { $0.usage != nil && !$0.grammar.hasSuffix("-old") }
        #expect(lines.count >= 2)
        for oracle in lines {
            var grammar = try #require(Self.grammars[oracle.grammar])
            grammar.program = "p"
            #expect(grammar.usage == oracle.usage)
        }
    }

    @Test func `The help has each option with what counts without it`() {
        let grammar = ArgparseGrammar(
            program: "p", summary: ["Does what it does."],
            options: [
                .help, .init("--a-rather-long-option", standard: "1", help: "one"),
                .init("-b", kind: .flag, help: "two"), .init("--width-of", help: "three"),
                .init("--width-of-2", help: "four"),
            ],
            positionals: [.init("name", "five")], commands: [.init("run", "six")])
        #expect(
            grammar.help == """
                usage: p [-h] [--a-rather-long-option A_RATHER_LONG_OPTION] [-b]
                         [--width-of WIDTH_OF] [--width-of-2 WIDTH_OF_2]
                         name {run} ...

                Does what it does.

                positional arguments:
                  name                  five

                options:
                  -h, --help            show this help and exit
                  --a-rather-long-option A_RATHER_LONG_OPTION
                                        one (default: 1)
                  -b                    two
                  --width-of WIDTH_OF   three
                  --width-of-2 WIDTH_OF_2
                                        four

                commands:
                  run                   six

                """)
    }

    @Test func `The result is what Python's json writes`() {
        let result = ForeignResult(response: "é \"x\"\n", returnCode: 3, verboseMessages: ["a", "\u{1F4BE}"])
        #expect(
            result.text == """
                {
                    "response": "\\u00e9 \\"x\\"\\n",
                    "return_code": 3,
                    "status": "failed",
                    "verbose_messages": [
                        "a",
                        "\\ud83d\\udcbe"
                    ]
                }

                """)
    }
}
