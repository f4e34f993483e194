import Model
import Filesystems

/// What programs that ran during the build have left.
enum LeftoverRules {
    static let rules = [logs, temporary, crashes, spools, tooling, runtime]

    private static let logs = Rule(
        "H-35", "Logs are empty.",
        reason: "They are of the build: its names, addresses and mistakes.",
        hint: "empty them: find /var/log -type f -exec truncate -s 0 {} +; remove /var/log/journal/*",
        checks: [
            Check("empty") { image in
                image.tree.match("/var/log/**").filter { node in
                    node.status.kind == .file && node.status.size > 0 && !image.isDeclared(node.path)
                        && !node.path.isInside("/var/log/journal")
                }.map { Observation("\($0.path)", "it has \($0.status.size) bytes") }
            },
            .emptyFolder("/var/log/journal"),
        ])

    private static let temporary = Rule(
        "H-36", "/tmp and /var/tmp are empty and open to everybody, with the sticky bit.",
        reason: "What lies there is of the build; with another mode programs fail or attack each other.",
        hint: "empty them; chmod 1777",
        checks: [
            .emptyFolder("/tmp", "/var/tmp"),
            Check("mode") { image in
                (["/tmp", "/var/tmp"] as [BytePath]).compactMap { image.tree.find($0) }
                    .filter { $0.status.kind == .folder && $0.status.permissions != 0o1777 }
                    .map { Observation("\($0.path)", "it has the mode \(AccountRules.octal($0.status.permissions))") }
            },
        ])

    private static let crashes = Rule(
        "H-37", "There are no crash reports and memory dumps.",
        reason: "They hold the memory of programs, with what was secret in it.",
        hint: "remove them",
        checks: [
            .emptyFolder("/var/crash", but: ["kdump_lock", "kexec_cmd"]),
            .emptyFolder("/var/lib/systemd/coredump", "/var/spool/abrt", "/var/lib/kdump", "/var/log/dump"),
            Check("absent") { image in
                image.tree.match("/{core,core.*}").filter { $0.status.kind == .file }.map {
                    Observation("\($0.path)", "it is there")
                }
            },
            .absent("/var/lib/apport/coredump/*"),
        ])

    private static let spools = Rule(
        "H-38", "Nobody has mail or jobs.",
        verdict: .warning,
        reason: "They were meant for the machine that built the image.",
        hint: "remove them, or declare the file",
        checks: [
            .emptyFolder("/var/spool/cron/{crontabs,atjobs,atspool}", "/var/spool/at", but: [".SEQ"]),
            Check("empty") { image in
                image.tree.match("/var/{spool/mail,mail}/*").filter { $0.status.size > 0 && !image.isDeclared($0.path) }
                    .filter { $0.status.kind == .file }.map { Observation("\($0.path)", "it has mail") }
            },
        ])

    private static let tooling = Rule(
        "H-46", "No tool of the build is left.",
        reason: "policy-rc.d keeps services from starting, diverted programs do nothing.",
        hint: "remove it; for a diversion: dpkg-divert --remove --rename FILE",
        checks: [
            .absent("/usr/sbin/policy-rc.d"),
            .absent("/{sbin,usr/sbin,bin,usr/bin}/*.{distrib,REAL}"),
            .absent("/tmp/in_target.d", "/root/if-*", "/debootstrap", "/.dockerenv"),
            .absent("/etc/{apt/apt.conf.d,dpkg/dpkg.cfg.d}/99{mmdebstrap,fakeroot}"),
            .absent("/.autorelabel"),
        ])

    private static let runtime = Rule(
        "H-47", "Folders that an instance mounts over are empty.",
        verdict: .warning,
        reason: "What lies below a mount takes space, and nobody sees it.",
        hint: "empty them",
        checks: [
            .emptyFolder("/{proc,sys,run,mnt,lost+found}"),
            .emptyFolder("/media", but: ["cdrom", "floppy"]),
            .emptyFolder("/dev"),
        ])
}
