import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct AnswerFileCheckTests {
    private func check(_ kind: AnswerFile.Kind, _ text: String) async throws -> AnswerFileCheck.Outcome {
        try await Scratch.with { folder in
            let path = folder.path.appending("answers")
            try Scratch.write(text, path)
            let file = AnswerFile(kind, path: path.string, digest: Digest(of: []), size: ByteCount(0))
            let outcome = try await AnswerFileCheck(runner: CommandRunner(helper: builtExecutable())).check(file)
            guard case .wrong(let found) = outcome else { return outcome }
            #expect(found.allSatisfy { $0.file == path.string && $0.severity == .error })
            return .wrong(found.map { Diagnostic(file: "f", line: $0.line, column: 1, .error, $0.message) })
        }
    }

    @Test func `A preseed file is sound, or told with the line that is not`() async throws {
        let sound = "# a comment\nd-i passwd/x string \\\n  y\nd-i grub/seen seen true\n"
        #expect(try await check(.preseed, "d-i debian-installer/locale string C\n") == .sound)
        #expect(
            try await check(.preseed, sound + "nonsense\n")
                == .wrong([
                    Diagnostic(
                        file: "f", line: 5, column: 1, .error, "debconf-set-selections: parse error: 'nonsense'")
                ]))
    }

    @Test func `An AutoYaST file is sound, or told with the line that is not`() async throws {
        #expect(try await check(.autoyast, "<profile>\n<a/></profile>\n") == .sound)
        guard case .wrong(let found) = try await check(.autoyast, "<profile>\n<a>\n</profile>\n") else {
            Issue.record("it was taken for sound")
            return
        }
        #expect(found.first?.line == 3)
        #expect(found.first?.message.hasPrefix("xmllint: parser error : Opening and ending tag mismatch") == true)
    }

    @Test func `No entity of an AutoYaST file reads a file of the host`() async throws {
        let text = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<a>&x;</a>\n"
        #expect(try await check(.autoyast, text) == .sound)
    }

    @Test func `What ksvalidator says of lines is understood`() {
        let said = [
            "", "Checking kickstart file /mnt/answers", "",
            "The following problem occurred on line 2 of the kickstart file:",
            "", "Unknown command: foo", "", "The following problem occurred on line 4 of the kickstart file:", "",
            "install has been removed.", "",
        ]
        let faults = AnswerFaults.ofPykickstart(said)
        #expect(faults.map(\.line) == [2, 4])
        #expect(faults.map(\.message) == ["Unknown command: foo", "install has been removed."])
    }

    @Test func `A Kickstart file is sound where one release takes it`() async throws {
        let runner = Scripted { command in
            let isRHEL7 = command.arguments.contains("RHEL7")
            return isRHEL7
                ? [] : ["The following problem occurred on line 4 of the kickstart file:", "install is gone."]
        }
        let file = AnswerFile(.kickstart, path: "/d/ks.cfg", digest: Digest(of: []), size: ByteCount(0))
        #expect(try await AnswerFileCheck(runner: runner).check(file) == .sound)
        let strict = Scripted { _ in ["The following problem occurred on line 4 of the kickstart file:", "what?"] }
        #expect(
            try await AnswerFileCheck(runner: strict).check(file)
                == .wrong([Diagnostic(file: "/d/ks.cfg", line: 4, column: 1, .error, "ksvalidator: what?")]))
    }

    @Test func `Without its checker a file is not checked, and why is told`() async throws {
        let file = AnswerFile(.kickstart, path: "/d/ks.cfg", digest: Digest(of: []), size: ByteCount(0))
        let none = Scripted { _ in throw FactoryError(.unavailable, "the program ksvalidator is not installed") }
        #expect(
            try await AnswerFileCheck(runner: none).check(file)
                == .unchecked("the program ksvalidator is not installed"))
        let broken = Scripted { _ in ["Traceback: no module"] }
        #expect(
            try await AnswerFileCheck(runner: broken).check(file)
                == .unchecked("ksvalidator ended with exit status 1: Traceback: no module"))
    }
}

/// Answers commands by lines of output: none is success.
private struct Scripted: CommandRunning {
    let answer: @Sendable (Command) throws -> [String]

    func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        let lines = try answer(command)
        for line in lines { onLine(.output, line) }
        return CommandResult(ending: .exited(lines.isEmpty ? 0 : 1), lastLines: lines)
    }

    func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value { throw FactoryError(.internal, "nothing runs here") }
}
