import Glibc

/// Removes from a tree what belongs to the machine that built it, or to one instance and not to all.
struct BuildTraces {
    let tree: TreeRoot

    func remove() throws {
        try removeIdentity()
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
            "/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret", "/root/.bash_history",
            "/etc/apt/apt.conf.d/99mmdebstrap", "/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        ] {
            try tree.remove(file)
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
