import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

extension EndToEndTests {
    struct VerifyBuildTests {
        /// A small build of Debian 13 with more in its definition.
        /// The result has all lines, not only the last ones.
        private func build(_ more: String, into folder: TemporaryFolder, token: String) async throws -> CommandResult {
            let definition = folder.path.appending("definition.yaml")
            try Scratch.write(
                "name: verified\nversion: \"1\"\nos: {distribution: debian, release: 13}\n"
                    + "packages: [dbus, iproute2, libpam-systemd, systemd-resolved]\nboot_check: false\n"
                    + "outputs: [raw]\n\(more)", definition)
            var environment = CommandRunner.callerProxies
            for variable in ["HOME", "XDG_CACHE_HOME"] {
                if let value = getenv(variable) { environment[variable] = String(cString: value) }
            }
            environment["TOKEN"] = token
            let output = folder.path.appending("out").string
            let lines = Mutex<[String]>([])
            var result = try await ProgramUnderTest.runner.run(
                Command(
                    ProgramUnderTest.path.string, ["build", definition.string, "--output", output, "--plain", "-v"],
                    environment: environment, timeout: .seconds(1800))
            ) { _, line in lines.withLock { $0.append(line) } }
            result.lastLines = lines.withLock { $0 }
            return result
        }

        private static let secret = "secrets: [{name: token, env: TOKEN}]\n"

        @Test func `Commands read a secret that is neither in the image nor in what is told`() async throws {
            try await TemporaryFolder.with { folder in
                let result = try await build(
                    Self.secret
                        + "commands: ['tee /var/log/token.log < /run/secrets/token; test -s /var/log/token.log']\n"
                        + "verify: {strict: true}\n", into: folder, token: "a-token-of-a-test")
                #expect(result.ending == .exited(0), "\(result.lastLines)")
                #expect(!result.lastLines.contains { $0.contains("a-token-of-a-test") })
                #expect(Scratch.names(folder.path.appending("out")).contains("verified-1.raw"))
            }
        }

        @Test func `A secret that a command writes into the tree ends the build`() async throws {
            try await TemporaryFolder.with { folder in
                let result = try await build(
                    Self.secret + "commands: ['base64 /run/secrets/token > /etc/token']\n", into: folder,
                    token: "a-token-of-a-test")
                #expect(result.ending == .exited(1))
                #expect(result.lastLines.contains { $0.contains("the tree has the secret 'token' in it") })
                #expect(Scratch.names(folder.path.appending("out")) == [])
            }
        }

        @Test func `A violation ends the build, and nothing is published`() async throws {
            try await TemporaryFolder.with { folder in
                let commands = "commands: ['touch /etc/open; chmod 666 /etc/open']\n"
                let result = try await build(commands, into: folder, token: "")
                #expect(result.ending == .exited(1))
                #expect(result.lastLines.contains { $0.contains("H-49 /etc/open: it has the mode 0666") })
                #expect(Scratch.names(folder.path.appending("out")) == [])
                let waived = try await build(
                    commands + "verify: {waivers: [{rule: H-49, reason: a test}]}\n", into: folder, token: "")
                #expect(waived.ending == .exited(0))
                let manifest = try Scratch.read(folder.path.appending("out").appending("verified-1.manifest.json"))
                #expect(manifest.contains("\"waiver\" : \"a test\""))
            }
        }
    }
}
