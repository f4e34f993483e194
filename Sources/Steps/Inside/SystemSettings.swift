import Glibc
import Model
import Tooling

/// Hostname, locale, time zone, package sources, boot settings and first-boot work of a tree.
struct SystemSettings {
    let action: ConfigureAction
    let tree: TreeRoot
    let commands: TreeCommands

    func apply() async throws {
        try writeHostname()
        try writeSources()
        try await setLocale()
        try setTimezone()
        try writeBootSettings()
        try writeCloudSettings()
        try await writeFirstBoot()
        try await ensureHostKeys()
    }

    private func writeHostname() throws {
        try tree.write(action.hostname + "\n", to: "/etc/hostname")
        let name = action.hostname.split(separator: ".").first.map(String.init) ?? action.hostname
        let own =
            action.hostname == "localhost"
            ? ""
            : "127.0.1.1 "
                + (name == action.hostname ? name : "\(action.hostname) \(name)") + "\n"
        try tree.write(
            """
            127.0.0.1 localhost
            \(own)::1 localhost ip6-localhost ip6-loopback
            ff02::1 ip6-allnodes
            ff02::2 ip6-allrouters

            """, to: "/etc/hosts")
    }

    /// The sources of the image itself: those of the build, with its mirror, are dropped.
    private func writeSources() throws {
        try tree.remove("/etc/apt/sources.list")
        try tree.empty("/etc/apt/sources.list.d")
        for source in action.sources {
            var key = source.signedBy
            if key.contains("-----BEGIN") {
                let path = "/etc/apt/keyrings/\(source.name).asc"
                try tree.write(key.hasSuffix("\n") ? key : key + "\n", to: path)
                key = path
            }
            try tree.write(
                """
                Types: deb
                URIs: \(source.uris.joined(separator: " "))
                Suites: \(source.suites.joined(separator: " "))
                Components: \(source.components.joined(separator: " "))
                Signed-By: \(key)

                """, to: "/etc/apt/sources.list.d/\(source.name).sources")
        }
    }

    private func setLocale() async throws {
        if !action.locale.hasPrefix("C"), action.locale != "POSIX" {
            let known = (try tree.text("/usr/share/i18n/SUPPORTED") ?? "").split(separator: "\n")
            let charset = action.locale.split(separator: ".").dropFirst().first.map(String.init) ?? "ISO-8859-1"
            guard
                let line = known.first(where: {
                    $0.hasPrefix(action.locale + " ") || $0 == "\(action.locale) \(charset)"
                })
            else {
                throw FactoryError(
                    .definition, "the distribution has no locale '\(action.locale)'",
                    remedy: "name one of /usr/share/i18n/SUPPORTED, such as en_US.UTF-8")
            }
            try tree.write("\(line)\n", to: "/etc/locale.gen")
            try await commands.run("/usr/sbin/locale-gen", [], activity: "making the locale \(action.locale)")
        }
        try tree.rewrite("LANG=\(action.locale)\n", "/etc/default/locale")
        if try tree.exists("/etc/locale.conf") { try tree.rewrite("LANG=\(action.locale)\n", "/etc/locale.conf") }
    }

    private func setTimezone() throws {
        let zone = "/usr/share/zoneinfo/" + action.timezone
        guard try tree.exists(zone) || action.timezone == "Etc/UTC" else {
            throw FactoryError(
                .definition, "the distribution has no time zone '\(action.timezone)'",
                remedy: "name one as in Europe/Berlin")
        }
        try tree.link("/etc/localtime", to: zone)
        try tree.write(action.timezone + "\n", to: "/etc/timezone")
    }

    /// What update-grub reads in an instance: the same consoles and arguments as the first grub.cfg.
    private func writeBootSettings() throws {
        try tree.write(
            """
            # The consoles and kernel arguments of this image.
            GRUB_TIMEOUT=1
            GRUB_CMDLINE_LINUX_DEFAULT=""
            GRUB_CMDLINE_LINUX="\(KernelCommandLine.arguments(action.kernelArguments))"
            GRUB_TERMINAL="console serial"
            GRUB_SERIAL_COMMAND="serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1"
            GRUB_DISABLE_OS_PROBER=true

            """, to: "/etc/default/grub.d/50-image-factory.cfg")
    }

    private func writeCloudSettings() throws {
        guard try tree.exists("/etc/cloud/cloud.cfg") else {
            guard action.dataSources != nil else { return }
            throw FactoryError(
                .definition, "cloud_init.datasources is given, but the image has no cloud-init",
                remedy: "add cloud-init to packages:")
        }
        // cloud-init's own default is a locale that the image need not have, and then it ends with an error.
        var settings = "locale: \(action.locale)\n"
        if let sources = action.dataSources {
            settings += "datasource_list: [\(sources.joined(separator: ", "))]\n"
        }
        try tree.write(settings, to: "/etc/cloud/cloud.cfg.d/91_image_factory.cfg")
    }

    /// A unit that runs once: the mark that lets it start is removed when it has succeeded.
    private func writeFirstBoot() async throws {
        let scripts = action.commands.filter { $0.moment == .firstBoot }
        guard !scripts.isEmpty else { return }
        let folder = "/usr/local/lib/image-factory"
        for (number, script) in scripts.enumerated() {
            try tree.write("#!/bin/sh -e\n\(script.run)\n", to: "\(folder)/first-boot.d/\(number + 1)", mode: 0o755)
        }
        let starts = scripts.indices.map { "ExecStart=\(folder)/first-boot.d/\($0 + 1)\n" }.joined()
        try tree.write("", to: "/var/lib/image-factory/first-boot-pending")
        try tree.write(
            """
            [Unit]
            Description=Commands of the image for an instance's first boot
            ConditionPathExists=/var/lib/image-factory/first-boot-pending
            Wants=network-online.target
            After=network-online.target cloud-init.service

            [Service]
            Type=oneshot
            \(starts)ExecStartPost=/bin/rm /var/lib/image-factory/first-boot-pending
            RemainAfterExit=yes

            [Install]
            WantedBy=multi-user.target

            """, to: "/etc/systemd/system/image-factory-first-boot.service")
        try await commands.run(
            "/usr/bin/systemctl", ["enable", "image-factory-first-boot.service"],
            activity: "enabling the first-boot commands")
    }

    /// Host keys never leave the factory. cloud-init makes new ones where it finds a data source; where it does not, it
    /// switches itself off, and this unit makes them.
    private func ensureHostKeys() async throws {
        guard try tree.exists("/usr/sbin/sshd") else { return }
        try tree.write(
            """
            [Unit]
            Description=OpenSSH host keys for this instance
            Before=ssh.service ssh.socket
            After=cloud-init.service cloud-init-network.service
            ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

            [Service]
            Type=oneshot
            ExecStart=/usr/bin/ssh-keygen -A
            RemainAfterExit=yes

            [Install]
            WantedBy=multi-user.target
            RequiredBy=ssh.service

            """, to: "/etc/systemd/system/image-factory-ssh-host-keys.service")
        try await commands.run(
            "/usr/bin/systemctl", ["enable", "image-factory-ssh-host-keys.service"],
            activity: "enabling new host keys")
    }
}

/// The kernel's command line, the same in the first grub.cfg and in what update-grub writes later.
enum KernelCommandLine {
    /// The last console named is the one that gets /dev/console: the serial one.
    static func arguments(_ own: [String]) -> String {
        (["console=tty0", "console=ttyS0,115200"] + own).joined(separator: " ")
    }
}
