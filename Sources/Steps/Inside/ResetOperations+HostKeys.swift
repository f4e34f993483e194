import Filesystems
import Model

extension ResetOperations {
    static let unit: BytePath = "/etc/systemd/system/image-factory-host-keys.service"

    /// An instance without host keys is one that nobody can log in to.
    func requireHostKeyMaker() throws {
        guard try !editor.match("/etc/ssh/*_host_*").isEmpty, try !makesHostKeys() else { return }
        let hasSystemd = try editor.find("/etc/systemd/system")?.status.kind == .folder
        if makesHostKeyUnit && hasSystemd { return }
        throw FactoryError(
            .failed, "the SSH host keys cannot be removed: nothing in the image would make new ones",
            remedy: hasSystemd
                ? "let a unit be installed that makes them at the first boot, or take '-ssh-hostkeys' away"
                : "install cloud-init in the image, or take '-ssh-hostkeys' away")
    }

    /// Whether cloud-init is enabled, or a unit that is makes host keys.
    func makesHostKeys() throws -> Bool {
        if try isCloudInitEnabled() { return true }
        for link in try editor.match("/{etc,usr/lib,lib}/systemd/system/*.{wants,requires}/*") {
            // An instance of a template, `sshd-keygen@rsa.service`, is a link to the template.
            guard let unit = try editor.find(link.path), unit.status.kind == .file else { continue }
            let text = String(decoding: try editor.bytes(unit, limit: 1 << 16), as: UTF8.self)
            if Self.makesKeys(text) { return true }
        }
        return false
    }

    /// The words of OpenSSH's own program and of the helpers that distributions put around it.
    private static func makesKeys(_ unit: String) -> Bool {
        unit.split(separator: "\n").contains { line in
            let isSetting = ["Exec", "Wants=", "Requires="].contains { line.hasPrefix($0) }
            return isSetting && ["ssh-keygen", "sshd-keygen", "sshd-gen-keys"].contains { line.contains($0) }
        }
    }

    private func isCloudInitEnabled() throws -> Bool {
        guard try editor.find("/usr/bin/cloud-init") != nil, try editor.find("/etc/cloud/cloud-init.disabled") == nil
        else { return false }
        // Its generator starts it unless it is masked.
        let target: BytePath = "/etc/systemd/system/cloud-init.target"
        guard let mask = try editor.find(target, following: false), mask.status.kind == .link else { return true }
        return try editor.filesystem.link(mask.inode) != Array("/dev/null".utf8)
    }

    func writeHostKeyUnit() throws {
        let text = """
            [Unit]
            Description=SSH host keys of this machine
            ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
            Before=ssh.service sshd.service ssh.socket sshd.socket

            [Service]
            Type=oneshot
            ExecStart=/usr/bin/ssh-keygen -A
            RemainAfterExit=yes

            [Install]
            WantedBy=multi-user.target

            """
        try editor.write(Array(text.utf8), to: Self.unit)
        let wants: BytePath = "/etc/systemd/system/multi-user.target.wants"
        try editor.makeFolder(wants)
        try editor.link(wants.appending(Self.unit.last), to: "\(Self.unit)")
    }
}
