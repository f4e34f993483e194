import Model
package import SystemPackage
import Synchronization

/// Which tools this host has, where, and in which version.
package actor ToolInventory {
    private let runner: any CommandRunning
    private let searchPath: String
    private var versions: [Tool: String] = [:]

    package init(runner: any CommandRunning, searchPath: String = Command.searchPath) {
        self.runner = runner
        self.searchPath = searchPath
    }

    /// The program, or the files of the best set that is complete; empty if the tool is not there.
    package nonisolated func paths(of tool: Tool) -> [FilePath] {
        if let program = ProgramSearch.find(tool.names, in: searchPath) { return [program] }
        let complete = tool.files.first { $0.allSatisfy(ProgramSearch.isFile) }
        return (complete ?? []).map { FilePath($0) }
    }

    /// Like `paths(of:)`; throws the error that names the package to install.
    @discardableResult
    package nonisolated func require(_ tool: Tool) throws -> [FilePath] {
        let paths = paths(of: tool)
        guard !paths.isEmpty else { throw tool.missing }
        return paths
    }

    /// The version as the tool tells it, `7.2.22`; for what tells none, that of its Debian package, or `unknown`.
    package func version(of tool: Tool) async throws -> String {
        if let known = versions[tool] { return known }
        let path = try require(tool)[0]
        let version: String?
        if let arguments = tool.versionArguments {
            version = try await ask(Command(path.string, arguments, timeout: .seconds(20)))
        } else {
            version = await packageVersion(tool.package)
        }
        versions[tool] = version ?? "unknown"
        return version ?? "unknown"
    }

    /// The first version in the first line of standard output, else in that of standard error.
    private func ask(_ command: Command) async throws -> String? {
        let firstLines = Mutex<[OutputStream: String]>([:])
        _ = try await runner.run(command) { stream, line in
            firstLines.withLock { if $0[stream] == nil { $0[stream] = line } }
        }
        let lines = firstLines.withLock { $0 }
        return [.output, .error].lazy.compactMap { lines[$0].flatMap(Self.version(in:)) }.first
    }

    private func packageVersion(_ package: String) async -> String? {
        let command = Command("dpkg-query", ["--show", "--showformat=${Version}", package], timeout: .seconds(20))
        guard let result = try? await runner.run(command), result.succeeded, !result.text.isEmpty else { return nil }
        return result.text
    }

    /// The first word that reads like `1.34` or `v1.5.4`.
    static func version(in line: String) -> String? {
        let words = line.split { " ,()".contains($0) }
        for word in words {
            let bare = word.first == "v" ? word.dropFirst() : word
            if bare.first?.isNumber == true, bare.contains(".") { return String(bare) }
        }
        return nil
    }
}
