import Model
import SystemPackage
import TestSupport
import Testing

/// Configurations spoilt in many ways: whatever a file holds, it is read or refused, soon and politely.
@Suite struct INIMutationTests {
    private static let rounds = 12

    @Test(arguments: Mutation.allCases, ["old-form", "every-key"])
    func `A spoilt configuration is read, or refused at a place in it`(mutation: Mutation, name: String) throws {
        let path = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(name).conf")
        let original = try RepositoryFiles.bytes(path)
        let image = name == "old-form" ? "Debian-13-server" : "kernel"
        for round in 0..<Self.rounds {
            let label = "\(mutation) \(name) \(round)"
            let seed = Digest(of: Array(label.utf8)).bytes.prefix(8)
            var random = SeededGenerator(seed: seed.reduce(0) { $0 << 8 | UInt64($1) })
            var bytes = mutation.applied(to: original, &random)
            if round % 3 == 2, !bytes.isEmpty { bytes = Mutation.flipByte.applied(to: bytes, &random) }
            let start = ContinuousClock.now
            do {
                _ = try INI.parse([INI.system: bytes], image: image)
            } catch let error as InvalidInput {
                expect(error.diagnostics, in: bytes, label)
            } catch let error as FactoryError {
                #expect(error.message.hasPrefix("No section '"), "\(label)")
            }
            #expect(ContinuousClock.now - start < .seconds(2), "\(label)")
        }
    }

    @Test func `A million references end soon`() {
        let lines = (0..<10).map { "k\($0)=" + String(repeating: "${k\($0 + 1)}", count: 9000) + "\n" }.joined()
        let start = ContinuousClock.now
        #expect(INI.problems(INI.web("\(lines)k10=\nappend=${k1}\n")).hasSuffix("with everything replaced in it"))
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test(arguments: [
        ("keys", "key_of_mine", "=1\n"), ("lines of one value", " ", "\n"), ("sections", "[s", "]\n"),
        ("references", "kez", "=$${ram} ${ram}\n"),
    ])
    func `As much as a file may have is read soon`(what: String, head: String, tail: String) throws {
        var text = INI.web("append=x\n")
        text.reserveCapacity(1 << 20)
        var number = 0
        while text.utf8.count < (1 << 20) - 64 {
            text += head + "\(number)" + tail
            number += 1
        }
        let start = ContinuousClock.now
        #expect(INI.problems(text) == "", "\(what)")
        #expect(ContinuousClock.now - start < .seconds(8), "\(what)")
    }

    private func expect(_ diagnostics: [Diagnostic], in bytes: [UInt8], _ label: String) {
        #expect(diagnostics.contains { $0.severity == .error }, "\(label)")
        let lines = String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r" })
        for problem in diagnostics {
            #expect(!problem.message.isEmpty && !problem.description.contains(where: \.isNewline), "\(label)")
            #expect(problem.message.utf8.count < 2000, "\(label)")
            #expect(problem.file == INI.system && (1...lines.count).contains(problem.line), "\(label): \(problem)")
            let length = lines[min(problem.line, lines.count) - 1].count
            #expect((1...length + 1).contains(problem.column), "\(label): \(problem)")
        }
    }
}
