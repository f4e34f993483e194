import Glibc
import SystemPackage
import TestSupport
import Testing
import Tooling

extension EndToEndTests {
    /// What root tests with an account made for it.
    @Suite(.enabled(if: geteuid() == 0)) struct OrdinaryUserTests {
        @Test func `An ordinary user builds an image, and the mounts and loop devices of the host stay as they were`()
            async throws
        {
            try await TemporaryFolder.with { folder in
                try await Account.with(home: folder) { account in
                    let (result, changes) = try await HostChanges.watching {
                        try await account.build("debian-13-minimal")
                    }
                    #expect(result.succeeded, "\(result.lastLines.joined(separator: "\n"))")
                    #expect(changes.isEmpty)
                    let names = Set(Scratch.names(account.output))
                    #expect(names.isSuperset(of: ["debian-13-minimal-1.0.qcow2", "debian-13-minimal-1.0.tar.zst"]))
                }
            }
        }
    }
}

/// An account that is gone after the test, with its processes. It has a range of subordinate ids, as `useradd` gives.
private struct Account {
    private let home: FilePath
    private let user: UInt32

    var output: FilePath { home.appending("out") }

    static func with<Value>(home: TemporaryFolder, _ body: (Account) async throws -> Value) async throws -> Value {
        let name = "image-factory-e2e-\(getpid())"
        let options = ["--no-create-home", "--no-log-init", "--home-dir", home.path.string, "--shell", "/bin/sh"]
        try await run("useradd", options + [name])
        do {
            let id = try await ProgramUnderTest.runner.run(Command("id", ["-u", name]))
            guard let user = UInt32(id.text), user >= 1000 else { throw Errno.invalidArgument }
            let value = try await body(try await Account(home: home.path, user: user))
            try await remove(name)
            return value
        } catch {
            try? await remove(name)
            throw error
        }
    }

    private init(home: FilePath, user: UInt32) async throws {
        self.home = home
        self.user = user
        // The sources and the build folder need not be readable for everyone.
        try await Self.run("install", ["-m", "0755", ProgramUnderTest.path.string, home.appending("program").string])
        let example = ProgramUnderTest.example("debian-13-minimal").string
        try await Self.run("install", ["-m", "0644", example, home.appending("debian-13-minimal.yaml").string])
        try await sharePackages()
        try await Self.run("chown", ["-R", "\(user):\(user)", home.string])
    }

    /// Downloaded packages of root's store save the download.
    private func sharePackages() async throws {
        let packages = "/var/cache/image-factory/packages"
        guard access(packages, R_OK) == 0 else { return }
        try await Self.run("mkdir", ["-p", home.appending("cache/image-factory").string])
        try await Self.run("cp", ["-R", packages, home.appending("cache/image-factory/packages").string])
    }

    func build(_ name: String) async throws -> CommandResult {
        let identity = ["--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"]
        let program = [home.appending("program").string, "build", home.appending(name + ".yaml").string]
        let environment = ["HOME": home.string, "XDG_CACHE_HOME": home.appending("cache").string]
        return try await ProgramUnderTest.runner.run(
            Command(
                "setpriv", identity + program + ["--plain", "--output", output.string],
                environment: CommandRunner.callerProxies.merging(environment) { $1 }, timeout: .seconds(1800)))
    }

    private static func remove(_ name: String) async throws {
        // A task of its own: the test's may be cancelled already.
        try await Task.detached {
            _ = try await ProgramUnderTest.runner.run(Command("pkill", ["-KILL", "-u", name]))
            try await run("userdel", [name])
        }.value
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        try await ProgramUnderTest.runner.runChecked(
            Command(program, arguments, timeout: .seconds(60)), activity: "making an account for a test")
    }
}

/// Watches the host's mounts and loop devices.
private enum HostChanges {
    /// What was different while `body` ran, or is after it.
    static func watching<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws -> (value: Value, changes: Set<String>) {
        let mounts = try FileDescriptor.open("/proc/self/mounts", .readOnly)
        defer { try? mounts.close() }
        let before = loopDevices()
        let watch = Task {
            var changes: Set<String> = []
            while !Task.isCancelled {
                changes.formUnion(loopDevices().symmetricDifference(before))
                try? await Task.sleep(for: .milliseconds(100))
            }
            return changes
        }
        defer { watch.cancel() }
        let value = try await body()
        watch.cancel()
        let changes = await watch.value.union(loopDevices().symmetricDifference(before))
        return (value, changes.union(haveChanged(mounts) ? ["the mounts have changed"] : []))
    }

    /// Whether anything was mounted or unmounted since the table was opened: the kernel tells by an event, so that
    /// what was mounted for a moment counts too.
    private static func haveChanged(_ mounts: FileDescriptor) -> Bool {
        var request = pollfd(fd: mounts.rawValue, events: Int16(POLLPRI), revents: 0)
        return poll(&request, 1, 0) != 0
    }

    /// The files behind loop devices.
    private static func loopDevices() -> Set<String> {
        let names = Scratch.names("/sys/block").filter { $0.hasPrefix("loop") }
        return Set(
            names.compactMap { name in
                (try? Scratch.read(FilePath("/sys/block/\(name)/loop/backing_file"))).map { "\(name): \($0)" }
            })
    }
}
