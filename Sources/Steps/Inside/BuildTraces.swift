import Glibc

/// Removes from a tree what belongs to the machine that built it, or to one instance and not to all.
struct BuildTraces {
    let tree: TreeRoot

    func remove() throws {
        try removeIdentity()
        try resetServices()
        try removeHistories()
        try removeStates()
        try removeCaches()
        try removeBackups()
        try emptyLogs()
        try setResolver()
    }

    private func removeIdentity() throws {
        // Empty, so that the first boot writes one, and is not taken for a factory reset (machine-id(5)).
        try tree.write("", to: "/etc/machine-id", mode: 0o444)
        if try tree.exists("/var/lib/dbus") { try tree.link("/var/lib/dbus/machine-id", to: "/etc/machine-id") }
        for name in try tree.names("/etc/ssh") where name.hasPrefix("ssh_host_") {
            try tree.remove("/etc/ssh/" + name)
        }
        for file in [
            "/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/systemd/credential.secret",
            "/etc/apt/apt.conf.d/99mmdebstrap", "/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        ] {
            try tree.remove(file)
        }
    }

    /// Identities that packages make when they are installed, in the form in which an instance makes its own.
    private func resetServices() throws {
        if try tree.exists("/usr/lib/systemd/system/ssl-cert.service") {
            try tree.remove("/etc/ssl/private/ssl-cert-snakeoil.key")
            try tree.remove("/etc/ssl/certs/ssl-cert-snakeoil.pem")
        }
        if try tree.exists("/etc/iscsi/initiatorname.iscsi") {
            try tree.rewrite("GenerateName=yes\n", "/etc/iscsi/initiatorname.iscsi")
        }
        for file in ["/etc/nvme/hostnqn", "/etc/nvme/hostid"] { try tree.remove(file) }
    }

    /// What shells and other programs keep of what commands of the definition did.
    private func removeHistories() throws {
        let names = [
            ".bash_history", ".sh_history", ".ash_history", ".zsh_history", ".viminfo", ".lesshst", ".wget-hsts",
            ".python_history", ".ssh/known_hosts", ".ssh/known_hosts.old",
        ]
        for home in ["/root"] + (try tree.names("/home").map { "/home/" + $0 }) {
            for name in names { try tree.remove(home + "/" + name) }
        }
    }

    /// States of one machine: leases, crash reports, cloud-init's instance.
    private func removeStates() throws {
        for folder in [
            "/var/lib/cloud/instances", "/var/lib/cloud/data", "/var/lib/cloud/sem", "/var/lib/dhcp",
            "/var/lib/dhclient", "/var/lib/dhcpcd", "/var/lib/systemd/network", "/var/lib/systemd/coredump",
            "/var/crash", "/var/log/journal",
        ] {
            try tree.empty(folder)
        }
        for file in [
            "/var/lib/cloud/instance", "/var/lib/NetworkManager/secret_key", "/var/lib/NetworkManager/timestamps",
            "/var/lib/NetworkManager/seen-bssids", "/etc/udev/rules.d/70-persistent-net.rules",
        ] {
            try tree.remove(file)
        }
        if try tree.exists("/var/cache/debconf/passwords.dat") {
            try tree.rewrite("", "/var/cache/debconf/passwords.dat")
        }
    }

    private func removeCaches() throws {
        for folder in ["/var/lib/apt/lists", "/var/cache/apt", "/tmp", "/var/tmp", "/run"] {
            try tree.empty(folder)
        }
        try tree.makeFolder("/var/lib/apt/lists/partial", mode: 0o700)
        try tree.makeFolder("/var/cache/apt/archives/partial", mode: 0o700)
        try tree.remove("/var/cache/ldconfig/aux-cache")
    }

    /// The old versions that account tools leave hold what the new ones no longer do.
    private func removeBackups() throws {
        for name in ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"] {
            try tree.remove("/etc/\(name)-")
        }
        try tree.remove("/etc/.pwd.lock")
        for name in try tree.names("/var/cache/debconf") where name.hasSuffix("-old") {
            try tree.remove("/var/cache/debconf/" + name)
        }
    }

    private func emptyLogs() throws {
        try emptyLogs(in: "/var/log")
    }

    /// Log files of packages stay, empty: some services expect theirs with its owner and mode.
    private func emptyLogs(in folder: String) throws {
        for name in try tree.names(folder) {
            let path = folder + "/" + name
            guard let facts = try tree.status(path) else { continue }
            switch facts.st_mode & S_IFMT {
            case S_IFDIR: try emptyLogs(in: path)
            case S_IFREG where facts.st_size > 0: try tree.rewrite("", path)
            default: break
            }
        }
    }

    /// The builder's resolver is of no use to an instance: systemd-resolved has its own file, else DHCP writes one.
    private func setResolver() throws {
        if try tree.exists("/usr/lib/systemd/systemd-resolved") {
            try tree.link("/etc/resolv.conf", to: "../run/systemd/resolve/stub-resolv.conf")
        } else {
            try tree.remove("/etc/resolv.conf")
        }
    }
}
