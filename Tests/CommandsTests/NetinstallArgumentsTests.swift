import Model
import SystemPackage
import TestSupport
import Testing

@testable import Commands

/// What Python's argparse makes of a command line (scripts/make-ini-goldens).
struct OracleLine: Decodable, CustomTestStringConvertible, Sendable {
    var line: [String]
    var error: String?
    var help: Bool?
    var image: String?
    var values: [String: String]?

    var testDescription: String { "\(line)" }

    static let all: [OracleLine] = {
        let path = RepositoryFiles.root.appending("Tests/CommandsTests/Goldens/arguments-oracle.json")
        guard let bytes = try? RepositoryFiles.bytes(path) else { return [] }
        return (try? Canonical.decode([OracleLine].self, from: bytes)) ?? []
    }()
}

@Suite struct NetinstallArgumentsTests {
    private static let old = NetinstallGrammar(options: NetinstallGrammar.old)

    @Test func `There are command lines to compare with`() {
        #expect(OracleLine.all.count > 400)
    }

    @Test(arguments: OracleLine.all)
    func `A command line is read as Python's argparse reads it`(oracle: OracleLine) {
        let read = NetinstallArguments(oracle.line, grammar: Self.old)
        #expect(read.problem?.message == oracle.error)
        #expect(read.wantsHelp == (oracle.help ?? false))
        guard let values = oracle.values else { return }
        #expect(read.image == oracle.image)
        #expect(Self.values(read) == values)
    }

    /// By key, as 1.0.2 writes them into the image's section.
    private static func values(_ read: NetinstallArguments) -> [String: String] {
        var values: [String: String] = [:]
        for setting in read.settings {
            let name = String(setting.name.dropFirst(2))
            if let value = setting.value {
                values[name] = value
            } else {
                values[name.hasPrefix("no-") ? String(name.dropFirst(3)) : name] =
                    name.hasPrefix("no-") ? "False" : "True"
            }
        }
        return values
    }

    @Test func `Options of the program's own are let through in full only`() {
        let read = NetinstallArguments(["A", "-o", "out", "--image-s", "3G", "-v", "--jobs=3", "--offl"])
        #expect(read.settings.map(\.argument) == ["--output=out", "--image-size=3G", "--verbose", "--jobs=3"])
        #expect(read.problem?.message == "unrecognized arguments: --offl")
    }
}

@Suite struct NetinstallCommandLineTests {
    private func read(_ arguments: [String], image: String? = nil) -> NetinstallCommandLine.Outcome {
        NetinstallCommandLine.read(
            arguments, subcommands: ["build", "plan", "explain", "verify"], image: image, isPath: { $0.contains("/") })
    }

    @Test(arguments: [
        (["Debian-13-server"], ["build", "--", "Debian-13-server"]),
        (["--image-s", "3G", "A", "--no-log-file"], ["build", "--image-size=3G", "--no-log-file", "--", "A"]),
        (["A", "--output", "out"], ["build", "--output=out", "--", "A"]),
        (["build", "A", "--image-s=3G"], ["build", "--image-size=3G", "--", "A"]),
        (["plan", "-fraw", "A"], ["plan", "--format=raw", "--", "A"]),
        (["explain", "A"], ["explain", "--", "A"]),
        (["-h"], ["--help"]),
    ])
    func `An image of the configuration becomes the whole command line`(old: [String], whole: [String]) {
        #expect(read(old) == .arguments(whole))
    }

    @Test(arguments: [
        ["./web.yaml", "--output", "out"], ["build", "./web.yaml"], ["verify", "disk.raw"], ["--version"],
        ["build", "--nonsense"], ["build"], ["plan", "--help"],
        ["--offline", "./web.yaml"],
    ])
    func `What is no image of the configuration is left as it is`(arguments: [String]) {
        #expect(read(arguments, image: "A") == .arguments(arguments))
    }

    @Test func `The variable IMAGE stands for the image`() {
        #expect(read(["--log-file"], image: "A") == .arguments(["build", "--log-file", "--", "A"]))
        #expect(read(["B"], image: "A") == .arguments(["build", "--", "B"]))
    }

    @Test(arguments: [
        ([], "No image specified."), ([""], "No image specified."), (["--log-file"], "No image specified."),
        (["A", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["-f", "vmdk", "A"], "argument -f/--format: invalid choice: 'vmdk' (choose from 'qcow2', 'raw')"),
    ])
    func `A mistake is told after the usage`(arguments: [String], message: String) {
        #expect(read(arguments) == .wrong(NetinstallGrammar.usage + "image-factory: error: \(message)\n"))
        #expect(NetinstallCommandLine.exitStatus == 2)
    }
}
