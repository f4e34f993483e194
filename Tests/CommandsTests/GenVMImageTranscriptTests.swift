import FactoryCore
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands

/// Runs programs for real, but for one call of qemu-img, in whose place `false` runs.
private struct BrokenTool: CommandRunning {
    let real: CommandRunner
    /// The first argument of the calls that fail.
    let call: String

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        var command = command
        if command.program == "qemu-img", command.arguments.first == call {
            (command.program, command.arguments) = ("false", [])
        }
        return try await real.run(command, onLine: onLine)
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        try await real.withRunning(command, onLine: onLine, body: body)
    }
}

/// Both command lines of gen-vm-image where a tool fails, and what GenVMImageTests have not.
@Suite struct GenVMImageTranscriptTests {
    private func run(
        _ arguments: [String], in folder: FilePath, breaking call: String = ""
    ) async throws -> ForeignAnswer {
        let runner = BrokenTool(real: CommandRunner(helper: builtExecutable()), call: call)
        return try await GenVMImage.answer(arguments) {
            Factory(
                store: folder.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
                executable: builtExecutable(), clock: Host.clock, environment: [:])
        }
    }

    private func disk(in folder: FilePath) async throws -> FilePath {
        let answer = try await run(["single", "disk", "1M", "-od", folder.appending("in").string], in: folder)
        #expect(answer.status == 0, "\(answer.errors)")
        return folder.appending("in/disk.qcow2")
    }

    @Test func `A tool that fails is a failure, and leaves nothing`() async throws {
        try await Scratch.with { scratch in
            let input = try await disk(in: scratch.path)
            let output = scratch.path.appending("out")
            let path = output.appending("a.qcow2")
            for (call, line, code, response) in [
                ("check", ["-i", input.string], Int32(8), "Failed to check path: \(path)"),
                ("check", [], 8, "Failed to check path: \(path)"),
                ("convert", ["-i", input.string], 3, "Failed to create path: \(input) - error: "),
                ("create", [], 3, "Failed to create path: \(path) - error: "),
            ] {
                let answer = try await run(
                    ["single", "a", "2M", "-od", output.string] + line, in: scratch.path, breaking: call)
                #expect((answer.status, answer.output) == (code, ""))
                #expect(
                    answer.errors.contains("    \"response\": \(PythonJSON.quoted(response).dropLast())"),
                    "\(answer.errors)")
                #expect(Scratch.names(output) == [])
            }
            // The same without the fault: nothing of the failures was kept.
            let good = try await run(["single", "a", "2M", "-od", output.string], in: scratch.path)
            #expect(good.status == 0)
            #expect(Scratch.names(output) == ["a.qcow2"])
        }
    }

    @Test func `In the older program a tool that fails is 1, where it went on`() async throws {
        try await Scratch.with { scratch in
            let input = try await disk(in: scratch.path)
            let digest = try await CommandRunner().run(Command("sha256sum", [input.string])).text.prefix(64)
            let file = scratch.path.appending("a.yml")
            try Scratch.write(
                "owner: me\nimages:\n  a: {name: a, version: 1, size: 2M, get_url: \(input), "
                    + "checksum: {type: sha256, value: \(digest)}}\n", file)
            let output = scratch.path.appending("out/image.qcow2")
            let line = ["--architecture-path", file.string, "--image-output-path", output.string]
            for (call, message) in [
                ("check", "Failed to check path: \(output)"), ("convert", "Failed to create path: \(input)"),
            ] {
                let answer = try await run(line, in: scratch.path, breaking: call)
                #expect(answer.status == 1)
                #expect(answer.output.contains(message), "\(answer.output)")
                #expect(Scratch.names(output.removingLastComponent()) == [])
            }
        }
    }

    @Test func `The pipelines' file, branch and spelling are those that are asked for`() async throws {
        try await Scratch.with { scratch in
            let input = try await disk(in: scratch.path)
            let digest = try await CommandRunner().run(Command("md5sum", [input.string])).text.prefix(32)
            let file = scratch.path.appending("a.yml")
            try Scratch.write(
                "owner: me\nimages:\n  a: {name: a, version: 9.10, size: 1M, get_url: \(input), "
                    + "checksum: {type: md5, value: '\(digest)'}}\n", file)
            let (output, pipelines) = (scratch.path.appending("image.qcow2"), scratch.path.appending("p.gocd.yml"))
            let line = [
                "--architecture-path", file.string, "--image-output-path", output.string, "--generate-gocd-config",
                "--gocd-config-name", pipelines.string, "--gocd-build-branch", "work",
            ]
            for (more, key) in [([], "lock_behavior"), (["--gocd-compat"], "lock_behaviour")] {
                let answer = try await run(line + more, in: scratch.path)
                #expect(answer.status == 0, "\(answer.errors)")
                #expect(answer.output.hasSuffix("Generated a new GOCD config in: \(pipelines)\n"))
                let text = try Scratch.read(pipelines)
                #expect(text.contains("    \(key): none\n"))
                #expect(text.contains("        branch: work\n"))
                #expect(text.contains("      DEFAULT_TAG: '9.10'\n"))
            }
        }
    }

    @Test func `Architecture files that are none have their codes`() async throws {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("a.yml")
            let cases: [(String, Int32, String)] = [
                ("", 2, "Failed to load path: \(file)"), ("owner: [", 2, "Failed to load path: \(file)"),
                ("images: {}\n", 4, "Missing attribute: owner in {'images': {}}"),
                ("owner: me\nimages: [1]\n", 5, "Invalid attribute type: <class 'list'> for value: [1] - must be "),
                ("owner: me\nimages:\n  a: {size: 1G}\n", 4, "Missing attribute: name in a"),
                ("owner: me\nimages:\n  a: {name: a}\n", 4, "Missing attribute: size in a"),
                (
                    "owner: me\nimages:\n  a: {name: a, size: 1G, input: x.qcow2}\n", 5,
                    "Invalid attribute type: <class 'str'> for value: x.qcow2 - must be "
                ),
                ("owner: me\nimages:\n  a: {name: a, size: 1G, input: {}}\n", 4, "Missing attribute: "),
            ]
            for (text, code, response) in cases {
                try Scratch.write(text, file)
                let answer = try await run(["multiple", file.string], in: scratch.path)
                #expect(answer.status == code, "\(text): \(answer.errors)")
                #expect(
                    answer.errors.contains("    \"response\": \(PythonJSON.quoted(response).dropLast())"),
                    "\(text): \(answer.errors)")
            }
            let missing = try await run(["multiple", file.string + ".none"], in: scratch.path)
            #expect(missing.status == 1)
            #expect(Scratch.names(scratch.path) == ["a.yml"])
        }
    }
}
