import Model
import Testing

@testable import Verify

/// One violation in an otherwise clean image.
struct Plant: CustomTestStringConvertible, Sendable {
    var rule: String
    var what: String
    var edits: [Edit]
    /// Other rules that the same fault breaks.
    var companions: Set<String>
    var traces: VerifyTraces
    var facts: VerifyFacts
    var policy: VerifyPolicy

    init(
        _ rule: String, _ what: String, _ edits: Edit..., companions: Set<String> = [],
        traces: VerifyTraces = VerifyTraces(), facts: VerifyFacts = VerifyFacts(),
        policy: VerifyPolicy = CleanImage.policy
    ) {
        self.rule = rule
        self.what = what
        self.edits = edits
        self.companions = companions
        self.traces = traces
        self.facts = facts
        self.policy = policy
    }

    var testDescription: String { "\(rule) \(what)" }

    static let all = identity + accounts + cloud + network + packages + leftovers + boot + credentials + tree + disk

    static let secret = VerifyFacts(secrets: [.init(name: "token", value: Array("correct horse battery".utf8))])
    static let privateKey =
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"
    static let id = "0123456789abcdef0123456789abcdef"
}

extension Plant {
    static let identity = [
        Plant("H-01", "a machine id", .write("/etc/machine-id", id + "\n")),
        Plant("H-02", "an id of D-Bus", .write("/var/lib/dbus/machine-id", id + "\n")),
        Plant("H-02", "a link to another id", .link("/var/lib/dbus/machine-id", to: "/etc/hostname")),
        Plant("H-03", "a host key", .write("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA\n")),
        Plant(
            "H-03", "nothing that makes host keys",
            .remove("/etc/systemd/system/multi-user.target.wants/ssh-host-keys.service")),
        Plant("H-03", "host keys that are kept", .write("/etc/cloud/cloud.cfg.d/10.cfg", "ssh_deletekeys: false\n")),
        Plant("H-04", "a random seed", .write("/var/lib/systemd/random-seed", "seed")),
        Plant(
            "H-04", "a random seed in the ESP",
            .program(
                "sh",
                [
                    "-c",
                    "echo seed | mmd -i \"$0@@1M\" ::loader; echo seed > \"$0.seed\"; mcopy -i \"$0@@1M\" \"$0.seed\" ::loader/random-seed",
                ])),
        Plant("H-04", "a random seed below the mount point", .write("/boot/efi/loader/random-seed", "seed")),
        Plant("H-05", "a host secret", .write("/var/lib/systemd/credential.secret", "secret", mode: 0o400)),
    ]

    static let accounts = [
        Plant("H-06", "an empty password", .write("/etc/shadow", "root::20000:0:99999:7:::\n")),
        Plant(
            "H-06", "an undeclared password", .write("/etc/shadow", "root:$6$rounds=1000$abcdefgh$xyz:20000::::::\n")),
        Plant(
            "H-06", "a declared password that everybody knows", .write("/etc/shadow", "admin:\(known):20000::::::\n"),
            policy: {
                var policy = CleanImage.policy
                policy.users[0].passwordHash = known
                return policy
            }()),
        Plant(
            "H-06", "a password in passwd",
            .write("/etc/passwd", passwd.replacing("nobody:x:", with: "nobody:AbCdEfGhIjKlM:"))),
        Plant("H-07", "a second root", .write("/etc/passwd", passwd + "toor:x:0:0::/root:/bin/sh\n")),
        Plant("H-07", "a user of a builder", .write("/etc/passwd", passwd + "packer:x:999:0::/nonexistent:/bin/sh\n")),
        Plant("H-07", "subordinate ids of a builder", .write("/etc/subuid", "vagrant:100000:65536\n")),
        Plant("H-08", "an old shadow", .write("/etc/shadow-", "root:*:::::::\n", mode: 0o640)),
        Plant("H-08", "a lock of the account files", .write("/etc/.pwd.lock", "")),
        Plant("H-09", "an undeclared key", .write("/root/.ssh/authorized_keys", "ssh-ed25519 AAAAother builder\n")),
        Plant(
            "H-09", "an undeclared key where the server looks",
            .write("/etc/ssh/sshd_config.d/keys.conf", "AuthorizedKeysFile /etc/keys/%u\n"),
            .write("/etc/keys/root", "ssh-rsa AAAAother\n")),
        Plant("H-10", "known hosts", .write("/root/.ssh/known_hosts", "example.org ssh-ed25519 AAAA\n")),
        Plant("H-10", "a private key", .write("/root/.ssh/id_rsa", privateKey, mode: 0o600), companions: ["H-53"]),
        Plant("H-11", "empty passwords", .write("/etc/ssh/sshd_config.d/a.conf", "PermitEmptyPasswords yes\n")),
        Plant("H-11", "root by password", .write("/etc/ssh/sshd_config.d/a.conf", "PermitRootLogin=\"yes\"\n")),
        Plant(
            "H-12", "a rule without password",
            .write("/etc/sudoers.d/x", "%sudo ALL=(ALL) NOPASSWD: ALL\n", mode: 0o440)),
        Plant("H-12", "rules that everybody reads", .write("/etc/sudoers.d/x", "Defaults lecture\n", mode: 0o644)),
        Plant("H-13", "a history", .write("/root/.bash_history", "passwd\n", mode: 0o600)),
    ]

    private static let passwd =
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
        + "admin:x:1000:1000::/home/admin:/bin/bash\n"
    /// Of `debian`, with MD5, which is quick.
    private static let known = "$1$saltsalt$sBcryli67u/ZPqdkUb7320"

    static let cloud = [
        Plant("H-14", "an instance", .write("/var/lib/cloud/instance/id", "i-1")),
        Plant("H-14", "a log", .write("/var/log/cloud-init.log", "started"), companions: ["H-35"]),
        Plant("H-14", "an installer's settings", .write("/etc/cloud/cloud.cfg.d/99-installer.cfg", "x: 1\n")),
        Plant(
            "H-15", "cloud-init that is off", .write("/usr/bin/cloud-init", "x", mode: 0o755),
            .write("/etc/cloud/cloud-init.disabled", "")),
    ]

    static let network = [
        Plant("H-16", "a MAC address", .write("/etc/netplan/90.yaml", "match: {macaddress: \"52:54:00:12:34:56\"}\n")),
        Plant("H-16", "an address of the build", .write("/etc/network/interfaces", "address 10.0.2.15\n")),
        Plant("H-16", "an installer's network", .write("/etc/netplan/00-installer-config.yaml", "network: {}\n")),
        Plant("H-18", "a connection", .write("/etc/NetworkManager/system-connections/a.nmconnection", "[x]\n")),
        Plant("H-20", "names of devices", .write("/etc/udev/rules.d/70-persistent-net.rules", "x\n")),
        Plant("H-20", "a secret of NetworkManager", .write("/var/lib/NetworkManager/secret_key", "x")),
        Plant("H-20", "a state of wicked", .write("/var/lib/wicked/duid.xml", "x")),
        Plant("H-21", "a lease", .write("/var/lib/dhcp/dhclient.leases", "lease {}\n")),
        Plant("H-21", "a lease of networkd", .write("/var/lib/systemd/network/lease", "x")),
        Plant("H-22", "a name server", .write("/etc/resolv.conf", "nameserver 10.0.2.3\n")),
        Plant("H-22", "a link to the builder's name servers", .link("/etc/resolv.conf", to: "/etc/hostname")),
        Plant("H-23", "a copy of resolv.conf", .write("/etc/resolv.conf.bak", "")),
        Plant("H-23", "another machine", .write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.7 mirror\n")),
        Plant("H-24", "a host name", .write("/etc/hostname", "build\n")),
        Plant("H-24", "a place", .write("/etc/machine-info", "LOCATION=rack 7\n")),
        Plant("H-24", "a name in exim", .write("/etc/exim4/update-exim4.conf.conf", "dc_other_hostnames='build'\n")),
        Plant("H-24", "a name in postfix", .write("/etc/postfix/main.cf", "myhostname = build.example\n")),
        Plant("H-25", "a password in a URL", .write("/etc/pip.conf", "index-url = https://me:pw@example.org/\n")),
        Plant(
            "H-25", "apt's proxy", .write("/etc/apt/apt.conf.d/01proxy", "Acquire::http::Proxy \"http://p:3142\";\n")),
        Plant("H-25", "a proxy", .write("/etc/environment", "HTTPS_PROXY=http://proxy.example:3128\n")),
        Plant("H-25", "a password of apt", .write("/etc/apt/auth.conf", "machine x login y password z\n")),
    ]

    static let packages = [
        Plant("H-26", "a local source", .write("/etc/apt/sources.list", "deb file:/srv/mirror trixie main\n")),
        Plant(
            "H-26", "a trusted source",
            .write("/etc/apt/sources.list", "deb [trusted=yes] http://deb.debian.org/debian x main\n")),
        Plant(
            "H-26", "an undeclared source",
            .write("/etc/apt/sources.list.d/x.list", "deb http://mirror.build/debian x main\n")),
        Plant(
            "H-26", "a password in a source",
            .write("/etc/apt/sources.list.d/x.sources", "URIs: https://me:pw@example.org/debian\n"),
            policy: {
                var policy = CleanImage.policy
                policy.sources = nil
                return policy
            }()),
        Plant("H-26", "a key for all sources", .write("/etc/apt/trusted.gpg", "key")),
        Plant("H-28", "package lists", .write("/var/lib/apt/lists/deb.debian.org_Packages", "Package: x\n")),
        Plant("H-28", "a part of a list", .write("/var/lib/apt/lists/partial/x", "x")),
        Plant("H-28", "a package", .write("/var/cache/apt/archives/x.deb", "x")),
        Plant("H-29", "passwords of debconf", .write("/var/cache/debconf/passwords.dat", "Name: x\n", mode: 0o600)),
        Plant("H-29", "an old database of debconf", .write("/var/cache/debconf/config.dat-old", "")),
        Plant(
            "H-29", "an answer to a question about a password",
            .write("/var/cache/debconf/config.dat", "Name: passwd/user-password\nValue: hunter2\n")),
        Plant("H-29", "an installer's log", .write("/var/log/installer/syslog", "x"), companions: ["H-35"]),
        Plant("H-29", "answers for the installer", .write("/preseed.cfg", "d-i x y string z\n")),
        Plant(
            "H-51", "a package that is half installed",
            .write("/var/lib/dpkg/status", "Package: a\nStatus: install ok half-configured\n")),
        Plant(
            "H-51", "a missing dependency",
            .write("/var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nDepends: b | c\n")),
        Plant("H-51", "an unfinished update", .write("/var/lib/dpkg/updates/0001", "x")),
        Plant("H-51", "no package", .write("/var/lib/dpkg/status", "")),
    ]

    static let leftovers = [
        Plant("H-35", "a log", .write("/var/log/apt/history.log", "Start-Date\n")),
        Plant("H-35", "a journal", .folder("/var/log/journal/" + id)),
        Plant("H-36", "a hidden file in /tmp", .write("/tmp/.X0-lock", "")),
        Plant("H-36", "a /var/tmp without the sticky bit", .field("/var/tmp", "mode", "040755")),
        Plant("H-37", "a crash report", .write("/var/crash/_usr_bin_x.0.crash", "x")),
        Plant("H-37", "a memory dump of systemd", .write("/var/lib/systemd/coredump/core.x", "x")),
        Plant("H-37", "a memory dump", .write("/core.4711", "x")),
        Plant("H-37", "a memory dump of apport", .write("/var/lib/apport/coredump/core.x", "x")),
        Plant("H-38", "a job", .write("/var/spool/cron/crontabs/root", "@daily x\n")),
        Plant("H-38", "mail", .write("/var/mail/root", "From x\n")),
        Plant("H-46", "services that may not start", .write("/usr/sbin/policy-rc.d", "exit 101\n", mode: 0o755)),
        Plant("H-46", "a diverted program", .write("/usr/sbin/start-stop-daemon.REAL", "x", mode: 0o755)),
        Plant("H-46", "a mark of a container", .write("/.dockerenv", "")),
        Plant("H-46", "settings of mmdebstrap", .write("/etc/apt/apt.conf.d/99mmdebstrap", "")),
        Plant("H-46", "an order to relabel", .write("/.autorelabel", "")),
        Plant("H-47", "a file below a mount", .write("/run/x", "")),
        Plant("H-47", "a folder in /media", .folder("/media/usb")),
        Plant("H-47", "a device node", .debugfs("mknod null c 1 3"), .folder("/dev/x")),
    ]
}
