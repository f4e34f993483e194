package import Model
import SystemPackage
package import Tooling

/// Has answer files looked at by the programs that know their kind, contained and without network.
package struct AnswerFileCheck: Sendable {
    package enum Outcome: Sendable, Hashable {
        case sound
        /// With a line each.
        case wrong([Diagnostic])
        /// Nobody here can tell, for this reason.
        case unchecked(String)
    }

    /// Where a checker finds the file.
    static let place = "/mnt/answers"

    /// What to run for a kind of file, and how it tells of a fault. Nil for kinds that the program itself looks at.
    struct Checker: Sendable {
        var program: String
        /// Sets of arguments: a file is sound if one of them is content with it. The first one's faults are told.
        var attempts: [[String]]
        /// Line and message of the faults in what the program said.
        var faults: @Sendable ([String]) -> [(line: Int, message: String)]
    }

    private let runner: any CommandRunning

    package init(runner: any CommandRunning) { self.runner = runner }

    package func check(_ answers: AnswerFile) async throws -> Outcome {
        guard let checker = Self.checker(of: answers.kind) else { return .sound }
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [.init(source: FilePath(answers.path), target: Self.place)],
            limits: .init(addressSpace: .gibi(2), processorTime: .seconds(30), fileSize: .mebi(1)))
        var faults: [(line: Int, message: String)] = []
        for arguments in checker.attempts {
            let command = Command(checker.program, arguments, containment: containment, timeout: .seconds(60))
            let result: CommandResult
            let lines = LineCollector()
            do {
                result = try await runner.run(command) { _, line in lines.add(line) }
            } catch let error as FactoryError {
                return .unchecked(error.message)
            }
            if result.succeeded { return .sound }
            let found = checker.faults(lines.lines)
            guard !found.isEmpty else {
                return .unchecked(
                    "\(checker.program) ended with \(result.ending): \(result.reason ?? "no reason given")")
            }
            if faults.isEmpty { faults = found }
        }
        return .wrong(
            faults.map {
                Diagnostic(file: answers.path, line: $0.line, column: 1, .error, "\(checker.program): \($0.message)")
            }
        )
    }

    static func checker(of kind: AnswerFile.Kind) -> Checker? {
        switch kind {
        case .preseed:
            Checker(
                program: "debconf-set-selections", attempts: [["--checkonly", place]],
                faults: { AnswerFaults.ofDebconf($0) })
        case .kickstart:
            // Which release a file is for is not known: commands come and go between them.
            Checker(
                program: "ksvalidator",
                attempts: [[place]] + ["RHEL9", "RHEL8", "RHEL7", "RHEL6"].map { ["--version", $0, place] },
                faults: { AnswerFaults.ofPykickstart($0) })
        case .autoyast:
            Checker(
                program: "xmllint", attempts: [["--noout", "--nonet", place]], faults: { AnswerFaults.ofLibxml($0) })
        case .autoinstall: nil
        }
    }
}

/// What checkers say of the lines of a file.
enum AnswerFaults {
    /// `error: parse error on line 3: 'nonsense'`
    static func ofDebconf(_ lines: [String]) -> [(line: Int, message: String)] {
        lines.compactMap { line in
            guard let match = line.wholeMatch(of: /error: (parse error) on line ([0-9]+): (.*)/),
                let number = Int(match.output.2)
            else { return nil }
            return (number, "\(match.output.1): \(match.output.3)")
        }
    }

    /// `The following problem occurred on line 2 of the kickstart file:`, an empty line, the problem.
    static func ofPykickstart(_ lines: [String]) -> [(line: Int, message: String)] {
        var found: [(line: Int, message: String)] = []
        var number: Int?
        for line in lines {
            if let match = line.firstMatch(of: /problem occurred on line ([0-9]+) of/) {
                number = Int(match.output.1)
            } else if let known = number, line.contains(where: { !$0.isWhitespace }) {
                found.append((known, line))
                number = nil
            }
        }
        return found
    }

    /// `FILE:3: parser error : …`
    static func ofLibxml(_ lines: [String]) -> [(line: Int, message: String)] {
        lines.compactMap { line in
            guard line.hasPrefix(AnswerFileCheck.place + ":") else { return nil }
            let parts = line.dropFirst(AnswerFileCheck.place.count + 1).split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[0]) else { return nil }
            return (number, String(parts[1].drop { $0 == " " }))
        }
    }
}
