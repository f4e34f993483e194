import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Tooling

/// What root tests by becoming an ordinary user. Where the tests run as one, the other suites cover the same.
@Suite(.enabled(if: geteuid() == 0)) struct OrdinaryUserTests {
    /// An account of this host that may use a range of subordinate ids, if there is one.
    private static let accountWithRange: (name: String, user: UInt32, group: UInt32)? = {
        guard let file = fopen("/etc/subuid", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let name = String(decoding: bytes.prefix { $0 != 0x3a }, as: UTF8.self)
            if let account = getpwnam(name), account.pointee.pw_uid != 0 {
                return (name, account.pointee.pw_uid, account.pointee.pw_gid)
            }
        }
        return nil
    }()

    private let runner = CommandRunner(helper: builtExecutable())

    /// Runs a contained shell as `user`, with a copy of the executable that everyone may run.
    private func run(
        _ containment: Containment, _ script: String, user: UInt32, group: UInt32
    ) async throws -> CommandResult {
        try await TemporaryFolder.with { folder in
            chmod(folder.path.string, 0o755)
            let copy = folder.path.appending("image-factory").string
            try await runner.runChecked(
                Command("install", ["-m", "0755", builtExecutable().string, copy]), activity: "copying")
            let identity = ["--reuid", "\(user)", "--regid", "\(group)", "--clear-groups"]
            let command = [copy, "__contain"] + containment.arguments(for: "sh", ["-c", script])
            return try await runner.run(Command("setpriv", identity + command))
        }
    }

    @Test func `An ordinary user is root of a containment without any set-up`() async throws {
        let containment = Containment(workSize: .mebi(1))
        let script = "cat /proc/self/uid_map; id -u; df --output=target /mnt | tail -1"
        let result = try await run(containment, script, user: 64321, group: 64321)
        #expect(result.text.split { " \n".contains($0) } == ["0", "64321", "1", "0", "/mnt"])
    }

    @Test func `Its own files can be written through a bind, those of others cannot`() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("", to: "own")
            try folder.write("", to: "other")
            chown(folder.path.appending("own").string, 64321, 64321)
            let binds = [Containment.Bind(source: folder.path, target: "/mnt/d", writable: true)]
            chmod(folder.path.string, 0o755)
            let script = "echo yes > /mnt/d/own; echo no > /mnt/d/other"
            let result = try await run(
                Containment(workSize: .mebi(1), binds: binds), script, user: 64321, group: 64321)
            #expect(!result.succeeded)
            #expect(try folder.read("own") == "yes\n")
            #expect(try folder.read("other") == "")
        }
    }

    @Test func `Without subordinate ids a range fails and says what to do`() async throws {
        let result = try await run(Containment(identities: .range), "true", user: 64321, group: 64321)
        let failure = Launch.containmentFailure(in: result.lastLines)
        #expect(result.ending == .exited(125))
        #expect(failure?.message == "containment: /etc/subuid has no range of 65535 ids for 64321")
        #expect(failure?.remedy?.hasPrefix("as root: usermod --add-subuids FIRST-LAST 64321") == true)
    }

    @Test func `A root that is none on the host is told so`() async throws {
        let command = [builtExecutable().string, "__contain", "--", "true"]
        let result = try await runner.run(Command("unshare", ["--map-root-user"] + command))
        let failure = Launch.containmentFailure(in: result.lastLines)
        #expect(failure?.remedy == "run it as an ordinary user, or as root outside of a container")
    }

    @Test(.enabled(if: accountWithRange != nil && !ProgramSearch.isMissing("newuidmap")))
    func `With subordinate ids files may have other owners`() async throws {
        let account = try #require(Self.accountWithRange)
        let containment = Containment(identities: .range, workSize: .mebi(1))
        let script = "touch /mnt/f && chown 7:65534 /mnt/f && stat -c '%u %g' /mnt/f && chroot --userspec=5:5 / id -u"
        let result = try await run(containment, script, user: account.user, group: account.group)
        #expect(result.text == "7 65534\n5")
    }
}

extension ProgramSearch {
    fileprivate static func isMissing(_ name: String) -> Bool { find([name]) == nil }
}
