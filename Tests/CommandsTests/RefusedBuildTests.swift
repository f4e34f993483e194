import Model
import SystemPackage
import TestSupport
import Testing

@testable import Tooling

/// Builds that cannot be are refused before anything is made. What signals do to real builds: scripts/test-ends-well.
@Suite struct RefusedBuildTests {
    private func build(_ definition: String, output: String, in folder: FilePath) async throws -> CommandResult {
        let path = folder.appending("definition.yaml")
        try Scratch.write(definition, path)
        return try await CommandRunner().run(
            Command(
                builtExecutable().string,
                ["build", "--plain", "--offline", path.string, "--output", folder.appending(output).string],
                environment: ["XDG_CACHE_HOME": folder.appending("cache").string]))
    }

    @Test func `A definition with a mistake makes neither store nor output folder`() async throws {
        try await Scratch.with { folder in
            let result = try await build(
                "name: x\nversion: \"1\"\nos: {distribution: debain, release: 13}\n", output: "out", in: folder.path)
            #expect(result.ending == .exited(65))
            #expect(Scratch.names(folder.path) == ["definition.yaml"])
        }
    }

    @Test(arguments: ["definition.yaml", "definition.yaml/out"])
    func `An output folder that cannot be is refused before the store is made`(output: String) async throws {
        try await Scratch.with { folder in
            let result = try await build(
                "name: x\nversion: \"1\"\nos: {distribution: debian, release: 13}\n", output: output, in: folder.path)
            #expect(result.ending == .exited(73))
            #expect(result.lastLines.contains { $0.hasPrefix("error: the output folder ") })
            #expect(result.lastLines.contains { $0.hasPrefix("hint: ") })
            #expect(Scratch.names(folder.path) == ["definition.yaml"])
        }
    }

    @Test(arguments: [
        ("env: IMAGE_FACTORY_TEST_NO_TOKEN", "the variable IMAGE_FACTORY_TEST_NO_TOKEN is not set", Int32(66)),
        ("file: no-token", "cannot read the secret 'token' from ", 66),
    ])
    func `A secret without a value is told before the store is made`(source: String, said: String, status: Int32)
        async throws
    {
        try await Scratch.with { folder in
            let result = try await build(
                "name: x\nversion: \"1\"\nos: {distribution: debian, release: 13}\n"
                    + "secrets: [{name: token, \(source)}]\n", output: "out", in: folder.path)
            #expect(result.ending == .exited(status))
            #expect(result.lastLines.contains { $0.hasPrefix("error: ") && $0.contains(said) })
            #expect(Scratch.names(folder.path) == ["definition.yaml"])
        }
    }
}
