import Dialects
import Glibc
import Model
import Steps
import Store
import SystemPackage
import Tooling

/// What can be told of an installation before anything is made for it.
struct InstallationCheck: Sendable {
    let runner: any CommandRunning

    /// What a person should know; throws what has to be mended first: `InvalidInput` for faults of answer files,
    /// else `FactoryError`.
    ///
    /// - Parameter code: of the faults of answer files.
    func check(_ install: Netinstall, code: FactoryError.Code) async throws -> [String] {
        try requireFiles(install.medium)
        try requireNames(install.answers)
        var problems: [Diagnostic] = []
        var notes: [String] = []
        for answers in install.answers {
            switch try await outcome(answers) {
            case .sound: break
            case .wrong(let found): problems += found
            case .unchecked(let reason): notes.append("the answer file \(answers.path) is not checked: \(reason)")
            }
        }
        guard problems.isEmpty else { throw InvalidInput(problems, code: code) }
        return notes
    }

    private func outcome(_ answers: AnswerFile) async throws -> AnswerFileCheck.Outcome {
        guard answers.kind == .autoinstall else { return try await AnswerFileCheck(runner: runner).check(answers) }
        let path = FilePath(answers.path)
        do {
            let problems = AutoinstallCheck.problems(try DurableFile.read(path, limit: 2 << 20), file: answers.path)
            return problems.isEmpty ? .sound : .wrong(problems)
        } catch {
            throw FileFailure.error(error, "read", path)
        }
    }

    /// Files of the host are looked for; of what is elsewhere, fetching tells.
    private func requireFiles(_ medium: Netinstall.Medium) throws {
        for (name, source) in medium.sources { try Self.requireFile(source, "the installer's \(name)") }
    }

    /// Of what is elsewhere, fetching tells.
    static func requireFile(_ source: Source, _ what: String) throws {
        guard source.scheme == .file else { return }
        var facts = stat()
        var reason: String?
        if stat(source.location, &facts) != 0 || access(source.location, R_OK) != 0 {
            reason = "\(Errno(rawValue: errno))"
        } else if facts.st_mode & S_IFMT != S_IFREG {
            reason = "it is not a regular file"
        }
        guard let reason else { return }
        throw FactoryError(
            .missingInput, "cannot read \(what) \(source.location): \(reason)", remedy: "check the path and its mode")
    }

    /// An installer sees them all in one folder.
    private func requireNames(_ answers: [AnswerFile]) throws {
        var seen: Set<String> = []
        for name in answers.map(\.name) where !seen.insert(name).inserted {
            throw FactoryError(
                .definition, "two answer files are called '\(name)', and the installer would see only one",
                remedy: "rename one of them")
        }
    }
}
