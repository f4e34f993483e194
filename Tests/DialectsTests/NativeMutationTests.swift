import Model
import SystemPackage
import TestSupport
import Testing

/// Examples spoilt in many ways: whatever a file holds, it is read or refused, soon and politely.
@Suite struct NativeMutationTests {
    private static let rounds = 4

    @Test(arguments: Mutation.allCases, RepositoryFiles.examples + ["every-key"])
    func `A spoilt file is read, or refused at a place in it`(mutation: Mutation, name: String) throws {
        let path = name == "every-key" ? "Tests/DialectsTests/Goldens" : "examples"
        let original = try RepositoryFiles.bytes(RepositoryFiles.root.appending(path).appending(name + ".yaml"))
        for round in 0..<Self.rounds {
            let seed = Digest(of: Array("\(mutation) \(name) \(round)".utf8)).bytes.prefix(8)
            var random = SeededGenerator(seed: seed.reduce(0) { $0 << 8 | UInt64($1) })
            let bytes = mutation.applied(to: original, &random)
            let start = ContinuousClock.now
            do {
                _ = try Native.parse(bytes)
            } catch {
                expect(error.diagnostics, in: bytes, "\(mutation) \(name) \(round)")
            }
            #expect(ContinuousClock.now - start < .seconds(2), "\(mutation) \(name) \(round)")
        }
    }

    private func expect(_ diagnostics: [Diagnostic], in bytes: [UInt8], _ label: String) {
        #expect(diagnostics.contains { $0.severity == .error }, "\(label)")
        let lines = String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
            separator: "\n", omittingEmptySubsequences: false)
        for problem in diagnostics {
            #expect(!problem.message.isEmpty && !problem.description.contains(where: \.isNewline), "\(label)")
            #expect(problem.message.utf8.count < 1000, "\(label)")
            let isInside =
                (1...lines.count).contains(problem.line)
                && (1...lines[min(problem.line, lines.count) - 1].count + 1).contains(problem.column)
            #expect(isInside, "\(label): \(problem)")
        }
    }
}
