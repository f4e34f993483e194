import Glibc
import Model
import SystemPackage
import Tooling

/// Runs programs of the tree in the tree, with /proc, /sys and the usual device nodes.
struct TreeCommands {
    let tree: FilePath
    /// Given to each as SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/): useradd writes the
    /// day into /etc/shadow, for one.
    let epoch: UInt64
    let runner: any CommandRunning
    let log: @Sendable (String) -> Void

    /// Mounts are in this namespace only: they end with it.
    func mount() throws {
        let nodes = ["null", "zero", "full", "random", "urandom", "tty"]
        try attach("proc", "proc", "/proc")
        // The kernel refuses a new sysfs without a network namespace of one's own; nothing here depends on it.
        try? attach("sysfs", "sysfs", "/sys")
        try attach("tmpfs", "tmpfs", "/dev", options: "mode=0755,size=1m")
        for node in nodes {
            let path = tree.appending("dev").appending(node)
            let file = open(path.string, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
            if file >= 0 { close(file) }
            try bind("/dev/" + node, path)
        }
        for (name, target) in [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1")] {
            _ = symlink(target, tree.appending("dev").appending(name).string)
        }
        for name in ["shm", "pts"] { _ = mkdir(tree.appending("dev").appending(name).string, 0o1777) }
        try attach("tmpfs", "tmpfs", "/run", options: "mode=0755")
        try attach("tmpfs", "tmpfs", "/tmp", options: "mode=1777")
    }

    /// Puts secrets where commands find them: in memory, gone with /run.
    func offer(_ secrets: [SecretValue]) throws {
        guard !secrets.isEmpty else { return }
        let folder = tree.appending("run").appending("secrets")
        guard mkdir(folder.string, 0o700) == 0 else {
            throw FactoryError(.osFailure, "cannot make /run/secrets in the tree: \(Errno(rawValue: errno))")
        }
        for secret in secrets {
            try WholeFile.write(secret.value, folder.appending(secret.name), mode: .ownerRead)
        }
    }

    func unmount() {
        for name in ["tmp", "run", "dev", "sys", "proc"] { umount2(tree.appending(name).string, Int32(MNT_DETACH)) }
    }

    /// Runs a program of the tree; it gets a minimal environment.
    ///
    /// - Parameters:
    ///   - called: what an error calls it, the program's path if it is not given.
    ///   - isLogged: whether its output goes to the log.
    @discardableResult
    func run(
        _ program: String, _ arguments: [String], called name: String? = nil, activity: String, remedy: String? = nil,
        isLogged: Bool = true
    ) async throws -> CommandResult {
        let command = Command(
            "chroot", [tree.string, program] + arguments,
            environment: [
                "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", "TMPDIR": "/tmp",
                "SOURCE_DATE_EPOCH": "\(epoch)",
            ])
        do {
            return try await runner.runChecked(command, activity: activity, remedy: remedy) { _, line in
                if isLogged { log(line) }
            }
        } catch var error as FactoryError {
            if error.message.hasPrefix("chroot ended ") {
                error.message = (name ?? program) + error.message.dropFirst("chroot".count)
            }
            throw error
        }
    }

    private func attach(_ type: String, _ source: String, _ target: String, options: String = "") throws {
        let path = tree.appending(String(target.dropFirst())).string
        let flags = UInt(MS_NOSUID) | (type == "tmpfs" ? 0 : UInt(MS_NODEV) | UInt(MS_NOEXEC))
        guard Glibc.mount(source, path, type, flags, options) == 0 else {
            throw FactoryError(.osFailure, "cannot mount \(type) for \(target) of the tree: \(Errno(rawValue: errno))")
        }
    }

    private func bind(_ source: String, _ target: FilePath) throws {
        guard Glibc.mount(source, target.string, nil, UInt(MS_BIND), nil) == 0 else {
            throw FactoryError(.osFailure, "cannot bind \(source) into the tree: \(Errno(rawValue: errno))")
        }
    }
}
