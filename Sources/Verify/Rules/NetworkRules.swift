import Model
import Filesystems

/// Addresses, names and states of the network in which the image was built.
enum NetworkRules {
    static let rules = [interfaces, connections, deviceNames, leases, resolver, hosts, names, proxies]

    /// QEMU's user network, in which guests are installed.
    private static func isBuildAddress(_ line: String) -> Bool { line.contains("10.0.2.") }

    private static let interfaces = Rule(
        "H-16", "No network configuration names a MAC address or an address of the build.",
        reason: "An instance has other hardware: its network would stay down.",
        hint: "match interfaces by type or driver, not by MAC address",
        checks: [
            .lines("/etc/netplan/*", "/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/systemd/network/*")
            { line, _ in
                Lines.hasMAC(line) ? "it names a MAC address" : nil
            },
            .lines("/etc/netplan/*", "/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/systemd/network/*")
            { line, _ in
                isBuildAddress(line) ? "it names an address of the build" : nil
            },
            .absent("/etc/netplan/{50-cloud-init,00-installer-config}.yaml"),
        ])

    private static let connections = Rule(
        "H-18", "NetworkManager has no connection that is not declared.",
        reason: "Its id, its MAC address and its password are of the build.",
        hint: "remove it, or declare the file",
        checks: [.absent("/etc/NetworkManager/system-connections/*")])

    private static let deviceNames = Rule(
        "H-20", "Nothing remembers the network devices of the build.",
        reason: "Rules for other hardware rename or hide an instance's devices.",
        hint: "remove them",
        checks: [
            .absent(
                "/etc/udev/rules.d/70-persistent-{net,cd}.rules", "/etc/udev/rules.d/75-persistent-net-generator.rules"),
            .absent("/var/lib/NetworkManager/{secret_key,*.lease,seen-bssids,timestamps}"),
            .absent("/var/lib/wicked/*"),
        ])

    private static let leases = Rule(
        "H-21", "There are no DHCP leases.",
        reason: "An instance would ask for the builder's address.",
        hint: "remove them",
        checks: [
            .emptyFolder("/var/lib/{dhcp,dhclient,dhcpcd}"),
            .emptyFolder("/run/systemd/netif/leases", "/var/lib/systemd/network"),
        ])

    private static let resolver = Rule(
        "H-22", "/etc/resolv.conf is absent, empty or a link to what an instance writes.",
        reason: "The builder's name servers are unreachable from elsewhere, and tell where it was built.",
        hint: "link it to ../run/systemd/resolve/stub-resolv.conf, or remove it",
        checks: [
            Check("content") { image in
                guard let node = image.tree.find("/etc/resolv.conf", following: false), !image.isDeclared(node.path),
                    node.status.kind == .file, !image.lines(node).isEmpty
                else { return [] }
                return [Observation("/etc/resolv.conf", "it names servers", evidence: image.tree.bytes(node))]
            },
            Check("link") { image in
                guard let node = image.tree.find("/etc/resolv.conf", following: false), node.status.kind == .link
                else { return [] }
                let target = try image.root.link(node.inode)
                let known = ["systemd/resolve/", "NetworkManager/", "resolvconf/", "netconfig/"]
                let text = String(decoding: target, as: UTF8.self)
                guard !known.contains(where: text.contains) else { return [] }
                return [Observation("/etc/resolv.conf", "it leads to \(BytePath.text(target.prefix(80)))")]
            },
        ])

    private static let hosts = Rule(
        "H-23", "/etc/hosts knows only this machine, and there are no copies of resolv.conf.",
        reason: "Names of the build network resolve to the wrong machines elsewhere.",
        hint: "remove the line, or declare the file",
        checks: [
            .absent("/etc/resolv.conf.{ORIG,orig,bak,save,old,dpkg-old}"),
            .lines("/etc/hosts") { line, image in
                let words = Lines.words(line)
                guard let address = words.first else { return nil }
                let own = ["127.", "::1", "fe00::", "ff00::", "ff02::"].contains { address.hasPrefix($0) }
                if !own { return "it names another machine" }
                let host = image.traces.hostName.map { name in words.dropFirst().contains(name) } ?? false
                return host && image.policy.hostname != image.traces.hostName ? "it names the builder" : nil
            },
        ])

    private static let names = Rule(
        "H-24", "Names of the host are localhost or the declared one.",
        verdict: .warning,
        reason: "Instances introduce themselves by the builder's name.",
        hint: "set it to localhost, or declare hostname",
        checks: [
            .lines("/etc/{hostname,HOSTNAME,mailname}") { line, image in
                isOwn(line, image) ? nil : "it names '\(BytePath.text(line.utf8.prefix(64)))'"
            },
            .lines("/etc/machine-info") { line, _ in
                line.hasPrefix("PRETTY_HOSTNAME=") || line.hasPrefix("LOCATION=") ? "it names a machine" : nil
            },
            .lines("/etc/exim4/update-exim4.conf.conf") { line, image in
                guard let names = Lines.value("dc_other_hostnames", in: [line]) else { return nil }
                return names.split(separator: ":").allSatisfy { isOwn(Lines.trimmed($0), image) }
                    ? nil : "it names '\(BytePath.text(names.utf8.prefix(64)))'"
            },
            .lines("/etc/postfix/main.cf") { line, image in
                let parts = line.split(separator: "=", maxSplits: 1).map(Lines.trimmed)
                guard parts.count == 2, ["myhostname", "mydomain"].contains(parts[0]) else { return nil }
                return isOwn(parts[1], image) ? nil : "it names '\(BytePath.text(parts[1].utf8.prefix(64)))'"
            },
        ])

    private static func isOwn(_ name: String, _ image: Inspection) -> Bool {
        ["", "localhost", "localhost.localdomain", "localdomain", image.policy.hostname ?? ""].contains(name)
    }

    private static let proxies = Rule(
        "H-25", "No configuration has a proxy of the build, or a password in a URL.",
        reason: "Instances would wait for a proxy that is not there; passwords are for everybody to read.",
        hint: "remove the line, or declare the file",
        checks: [
            .lines(
                "/etc/{environment,wgetrc,npmrc,pip.conf}", "/etc/profile.d/*", "/etc/apt/{apt.conf,apt.conf.d/*}",
                "/etc/docker/daemon.json", "/etc/systemd/{system.conf,user.conf}", "/etc/systemd/system/*.d/*.conf",
                "/etc/systemd/system/*.service", "/etc/environment.d/*"
            ) { line, _ in
                Lines.hasCredentials(line) ? "it has a password in a URL" : nil
            },
            .lines("/etc/apt/{apt.conf,apt.conf.d/*}") { line, _ in
                let text = line.lowercased()
                return text.hasPrefix("acquire::") && text.contains("proxy") && text.contains("://")
                    ? "apt uses a proxy" : nil
            },
            .lines("/etc/environment", "/etc/profile.d/*", "/etc/environment.d/*", "/etc/systemd/system/*.d/*.conf") {
                line, _ in
                let text = line.lowercased()
                return ["http_proxy=", "https_proxy=", "ftp_proxy=", "all_proxy="].contains { text.contains($0) }
                    && text.contains("://") ? "it sets a proxy" : nil
            },
            .lines("/etc/apt/auth.conf", "/etc/apt/auth.conf.d/*") { line, _ in
                Lines.words(line).contains("password") ? "it has a password" : nil
            },
        ])
}
