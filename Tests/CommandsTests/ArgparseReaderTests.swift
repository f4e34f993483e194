import Model
import SystemPackage
import TestSupport
import Testing

@testable import Commands

/// What Python's argparse makes of a command line of gen-vm-image (scripts/make-argparse-goldens).
struct GenVMImageLine: Decodable, CustomTestStringConvertible, Sendable {
    var grammar: String
    var line: [String]
    var error: String?
    var help: Bool?
    var values: [String: String]?
    var positionals: [String]?
    var unknown: [String]?

    var testDescription: String { "\(grammar) \(line)" }

    static let all: [GenVMImageLine] = {
        let path = RepositoryFiles.root.appending("Tests/CommandsTests/Goldens/gen-vm-image-oracle.json")
        guard let bytes = try? RepositoryFiles.bytes(path) else { return [] }
        return (try? Canonical.decode([GenVMImageLine].self, from: bytes)) ?? []
    }()
}

@Suite struct ArgparseReaderTests {
    private static let grammars = [
        "single": GenVMImageGrammar.single, "multiple": GenVMImageGrammar.multiple, "seed": GenVMImageGrammar.seed,
    ]

    @Test func `There are command lines to compare with`() {
        #expect(GenVMImageLine.all.count > 900)
    }

    @Test func `Command lines are read as Python's argparse reads them`() throws {
        for oracle in GenVMImageLine.all {
            let outcome = ArgparseReader.read(oracle.line, try #require(Self.grammars[oracle.grammar]))
            if let error = oracle.error {
                #expect(outcome == .problem(error), "\(oracle.testDescription)")
            } else if oracle.help == true {
                #expect(outcome == .help, "\(oracle.testDescription)")
            } else {
                var expected = ArgparseArguments()
                expected.values = oracle.values ?? [:]
                expected.positionals = oracle.positionals ?? []
                expected.unrecognized = oracle.unknown ?? []
                // Python gives the number of an integer, and this its text.
                if case .arguments(var found) = outcome {
                    let key = "--input-checksum-read-bytes"
                    found.values[key] = found.values[key].flatMap { PythonInteger.parse($0) }.map { "\($0)" }
                    #expect(found == expected, "\(oracle.testDescription)")
                } else {
                    Issue.record("\(oracle.testDescription): \(outcome)")
                }
            }
        }
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
