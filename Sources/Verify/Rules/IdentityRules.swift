import Filesystems

/// What tells one instance from another: each has to make its own.
enum IdentityRules {
    static let rules = [machineID, busMachineID, hostKeys, randomSeed, credentialSecret]

    private static let machineID = Rule(
        "H-01", "/etc/machine-id is absent, empty or 'uninitialized'.",
        reason: "Instances with one id get one address from DHCP and mix their logs.",
        hint: "empty it: truncate -s 0 /etc/machine-id",
        checks: [
            Check("content") { image in
                guard let node = image.tree.find("/etc/machine-id") else { return [] }
                let text = image.tree.bytes(node) ?? []
                if text.isEmpty || text == Array("uninitialized\n".utf8) { return [] }
                return [Observation("/etc/machine-id", "it has an id", evidence: text)]
            }
        ])

    private static let busMachineID = Rule(
        "H-02", "/var/lib/dbus/machine-id is absent, empty or a link to /etc/machine-id.",
        reason: "D-Bus keeps an id of its own, which all instances would share.",
        hint: "link it: ln -sf /etc/machine-id /var/lib/dbus/machine-id",
        checks: [
            Check("content") { image in
                let path: BytePath = "/var/lib/dbus/machine-id"
                guard let node = image.tree.find(path, following: false) else { return [] }
                if node.status.kind == .link {
                    // A link that leads nowhere is resolved in the instance.
                    guard let end = image.tree.find(path), end.path != BytePath("/etc/machine-id") else { return [] }
                    return [Observation("\(path)", "it leads to \(end.path)")]
                }
                let text = image.tree.bytes(node) ?? []
                return text.isEmpty ? [] : [Observation("\(path)", "it has an id", evidence: text)]
            }
        ])

    private static let hostKeys = Rule(
        "H-03", "There are no SSH host keys, and an instance makes its own.",
        reason: "Whoever has the image can pose as every instance (CVE-2018-10896).",
        hint: "remove /etc/ssh/ssh_host_*, and let cloud-init or a unit run 'ssh-keygen -A' at the first boot",
        mayBeWaived: false,
        checks: [
            .absent("/etc/ssh/ssh_host_*"),
            Check("regeneration") { image in
                guard image.tree.find("/usr/sbin/sshd") != nil, !makesHostKeys(image) else { return [] }
                return [Observation("/etc/ssh", "nothing makes host keys at an instance's first boot")]
            },
            .lines("/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg") { line, _ in
                let words = line.split(separator: ":").map(Lines.trimmed)
                guard words.count == 2, words[0] == "ssh_deletekeys" else { return nil }
                return ["false", "no", "0", "off"].contains(words[1].lowercased())
                    ? "it keeps host keys of the image" : nil
            },
        ])

    /// A unit that is enabled and speaks of host keys, or cloud-init.
    private static func makesHostKeys(_ image: Inspection) -> Bool {
        if image.tree.find("/usr/bin/cloud-init") != nil { return true }
        let enabled = image.tree.match("/{etc,usr/lib}/systemd/system/*.{wants,requires}/*")
        return enabled.contains { node in
            let name = String(decoding: node.path.last, as: UTF8.self)
            return ["keygen", "host-key", "hostkey", "host_key"].contains { name.contains($0) }
                && image.tree.find(node.path) != nil
        }
    }

    private static let randomSeed = Rule(
        "H-04", "There is no saved random seed.",
        reason: "Instances that start from one seed may draw the same keys.",
        hint: "remove it; systemd makes one at shutdown",
        checks: [
            .absent("/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/random-seed"),
            Check("esp") { image in
                let path = ["loader", "random-seed"]
                guard try image.esp?.find(path) != nil else { return [] }
                return [Observation("ESP:/loader/random-seed", "it is there")]
            },
            .absent("/{boot,efi,boot/efi}/loader/random-seed"),
        ])

    private static let credentialSecret = Rule(
        "H-05", "There is no host secret of systemd-creds.",
        reason: "With it every instance's encrypted credentials can be read.",
        hint: "remove /var/lib/systemd/credential.secret",
        checks: [.absent("/var/lib/systemd/credential.secret")])
}
