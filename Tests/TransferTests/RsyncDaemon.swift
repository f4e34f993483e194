import Glibc
import Model
import SystemPackage
import TestSupport
import Tooling

/// An rsync server on the loopback interface with one module, `images`, for one user with a password.
struct RsyncDaemon: Sendable {
    static let user = "builder"
    static let password = "sesame-open-1"

    let folder: FilePath
    let port: UInt16

    static func with(_ body: @Sendable (RsyncDaemon) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let daemon = RsyncDaemon(folder: scratch.path.appending("images"), port: try FaultServer.freePort())
            mkdir(daemon.folder.string, 0o755)
            let secrets = scratch.path.appending("secrets")
            try Scratch.write("\(user):\(password)\n", secrets)
            chmod(secrets.string, 0o600)
            let configuration = scratch.path.appending("rsyncd.conf")
            let identity = geteuid() == 0 ? "uid = 0\ngid = 0\n" : ""
            try Scratch.write(
                """
                use chroot = no
                \(identity)[images]
                path = \(daemon.folder)
                read only = no
                auth users = \(user)
                secrets file = \(secrets)
                [open]
                path = \(daemon.folder)

                """, configuration)
            let command = Command(
                "rsync",
                [
                    "--daemon", "--no-detach", "--address=127.0.0.1", "--port=\(daemon.port)",
                    "--config=\(configuration)", "--log-file=\(scratch.path.appending("log"))",
                ])
            try await CommandRunner(proxies: [:]).withRunning(command, onLine: { _, _ in }) { _ in
                try await daemon.waitUntilReady()
                try await body(daemon)
            }
        }
    }

    private func waitUntilReady() async throws {
        for _ in 0..<200 {
            let command = Command("rsync", ["--list-only", "rsync://127.0.0.1:\(port)/"])
            if try await CommandRunner(proxies: [:]).run(command).succeeded { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw FactoryError(.internal, "the rsync server does not answer")
    }

    var target: String { "rsync://\(Self.user)@127.0.0.1:\(port)/images/" }
}
