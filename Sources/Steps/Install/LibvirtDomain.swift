import Glibc
package import Tooling

/// A domain of libvirt that this program defines, and how it is got rid of.
package struct LibvirtDomain: Hashable, Sendable {
    /// libvirt's URI: root has the system's domains, everybody else those of a session.
    package var connection: String
    package var name: String

    package init(connection: String = LibvirtDomain.connection, name: String) {
        self.connection = connection
        self.name = name
    }

    package static var connection: String { geteuid() == 0 ? "qemu:///system" : "qemu:///session" }

    /// Switches the domain off and undefines it. Returns whether it is gone: true also if it never was.
    ///
    /// - Parameter words: what is removed with it beside the variables of its firmware: `managed_save`.
    package func release(by runner: any CommandRunning, removing words: [String] = []) async -> Bool {
        // In a task of its own: an installation that was cancelled cleans up too.
        await Task.detached {
            _ = try? await runner.run(virsh("destroy", name))
            let flags = words.map { "--" + $0.replacing("_", with: "-") }.filter { $0 != "--nvram" }
            let undefine = virsh(["undefine", name, "--nvram"] + flags)
            guard let result = try? await runner.run(undefine) else { return false }
            return result.succeeded || result.lastLines.contains { $0.contains("failed to get domain") }
        }.value
    }

    func virsh(_ words: String...) -> Command { virsh(words) }

    func virsh(_ words: [String]) -> Command {
        Command(
            "virsh", ["-c", connection] + words, environment: Self.environment, timeout: .seconds(60))
    }

    /// What libvirt's clients need to find the caller's daemon.
    static var environment: [String: String] {
        var settings: [String: String] = [:]
        for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            if let value = getenv(name) { settings[name] = String(cString: value) }
        }
        return settings
    }
}

/// The name of a domain that is about to be defined, written down before.
package struct LibvirtLease: Sendable {
    package var domain: LibvirtDomain
    /// To be called once the domain is gone.
    package var settle: @Sendable () -> Void

    package init(domain: LibvirtDomain, settle: @escaping @Sendable () -> Void) {
        self.domain = domain
        self.settle = settle
    }
}
