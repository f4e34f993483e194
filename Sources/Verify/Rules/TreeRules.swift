import Model
import Filesystems

/// Owners, modes and privileges of all files.
enum TreeRules {
    static let rules = [privileged, openToAll, release]

    /// Programs of Debian's packages that are meant to be set-user-id, set-group-id or to have capabilities.
    private static let known: Set<String> = [
        "su", "sudo", "sudoedit", "mount", "umount", "passwd", "chsh", "chfn", "newgrp", "gpasswd", "chage", "expiry",
        "unix_chkpwd", "pam_extrausers_chkpwd", "ssh-keysign", "ssh-agent", "dbus-daemon-launch-helper", "crontab",
        "at", "wall", "write", "write.ul", "bsd-write", "pkexec", "polkit-agent-helper-1", "fusermount", "fusermount3",
        "ping", "newuidmap", "newgidmap", "snap-confine", "mtr-packet", "utempter", "locate", "plocate", "mlocate",
        "exim4", "postdrop", "postqueue", "dotlockfile", "mount.nfs", "mount.cifs", "ntfs-3g", "bwrap", "dumpcap",
        "gst-ptp-helper", "traceroute6.iputils", "arping", "lxc-user-nic", "vmware-user-suid-wrapper", "man", "mandb",
        "camel-lock-helper-1.2", "systemd-detect-virt", "rtkit-daemon", "Xorg.wrap", "chrome-sandbox", "cgexec",
    ]

    private static let privileged = Rule(
        "H-48", "Programs with privileges are those of packages that are known to need them.",
        verdict: .warning,
        reason: "Any other one makes every user root.",
        hint: "take them away: chmod ug-s FILE, setcap -r FILE; or declare the file",
        checks: [
            Check("packages") { image in
                let files = programs(image)
                guard !files.isEmpty, image.tree.find("/var/lib/dpkg/info") != nil else { return [] }
                let owned = packaged(image)
                return files.filter { !owned.contains("\($0.node.path)") }.map {
                    Observation("\($0.node.path)", "it \($0.how) and belongs to no package")
                }
            },
            Check("known") { image in
                programs(image).filter { !known.contains(String(decoding: $0.node.path.last, as: UTF8.self)) }.map {
                    Observation("\($0.node.path)", "it \($0.how)")
                }
            },
        ])

    private static func programs(_ image: Inspection) -> [(node: ImageTree.Node, how: String)] {
        image.tree.nodes.filter { $0.status.kind == .file && !image.isDeclared($0.path) }.compactMap { node in
            if node.status.permissions & 0o6000 != 0 {
                return (node, "has the mode \(AccountRules.octal(node.status.permissions))")
            }
            guard node.status.permissions & 0o111 != 0,
                let attributes = try? image.root.attributes(node.inode),
                attributes.contains(where: { $0.name == "security.capability" })
            else { return nil }
            return (node, "has capabilities")
        }
    }

    /// The files of all packages, also by the names that they have since /bin and the like are links.
    private static func packaged(_ image: Inspection) -> Set<String> {
        var names: Set<String> = []
        for list in image.tree.match("/var/lib/dpkg/info/*.list") {
            for line in (image.tree.bytes(list) ?? []).split(separator: 0x0a) {
                let name = String(decoding: line, as: UTF8.self)
                names.formUnion([name, PackageFiles.merged(name)])
            }
        }
        return names
    }

    private static let openToAll = Rule(
        "H-49", "Every file has an owner of the image, and nothing is writable for everybody.",
        reason: "Whoever gets the missing number owns the file; what everybody writes, everybody runs.",
        hint: "chown or chmod it, or declare the file",
        checks: [
            Check("mode") { image in
                files(image).filter { node in
                    let mode = node.status.permissions
                    let isFolder = node.status.kind == .folder
                    guard isFolder || node.status.kind == .file, mode & 0o002 != 0 else { return false }
                    return !(isFolder && mode & 0o1000 != 0)
                }.map { Observation("\($0.path)", "it has the mode \(AccountRules.octal($0.status.permissions))") }
            },
            Check("owner") { image in
                let users = Set(image.accounts.users.map(\.uid))
                let groups = Set(image.accounts.groups.map(\.gid))
                return files(image).filter { !users.contains($0.status.user) || !groups.contains($0.status.group) }.map
                {
                    Observation("\($0.path)", "it belongs to \($0.status.user):\($0.status.group), which nobody has")
                }
            },
            Check("owner") { image in
                let homes = image.accounts.users.filter { (1000..<60000).contains($0.uid) }
                    .map { (uid: $0.uid, home: BytePath($0.home)) }
                return files(image).filter { node in
                    (1000..<60000).contains(node.status.user)
                        && !homes.contains { $0.uid == node.status.user && node.path.isInside($0.home) }
                }.map { Observation("\($0.path)", "it belongs to the user \($0.status.user)") }
            },
        ])

    private static func files(_ image: Inspection) -> [ImageTree.Node] {
        image.tree.nodes.filter { $0.status.kind != .link && !image.isDeclared($0.path) }
    }

    private static let release = Rule(
        "H-58", "/etc/os-release tells what system this is.",
        verdict: .warning,
        reason: "Without it nobody, this program too, knows how the image is to be treated.",
        hint: "install base-files; set IMAGE_ID and IMAGE_VERSION together, in lower case",
        checks: [
            Check("content") { image in
                (Lines.value("ID", in: image.release) ?? "").isEmpty
                    ? [Observation("/etc/os-release", "it has no ID")] : []
            },
            Check("content") { image in
                let id = Lines.value("IMAGE_ID", in: image.release)
                let version = Lines.value("IMAGE_VERSION", in: image.release)
                return (id ?? "").isEmpty != (version ?? "").isEmpty
                    ? [Observation("/etc/os-release", "it has one of IMAGE_ID and IMAGE_VERSION")] : []
            },
        ])
}
