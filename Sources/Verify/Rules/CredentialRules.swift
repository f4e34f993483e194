import Model
import Filesystems

/// Keys, tokens and identities of programs.
enum CredentialRules {
    static let rules = [keys, identities, credentials]

    private static let keys = Rule(
        "H-43", "There are no private keys of TLS servers.",
        reason: "Every instance would have the same one, and whoever has the image has it too.",
        hint: "remove it, and make one at the first boot",
        checks: [
            .absent("/etc/ssl/private/ssl-cert-snakeoil.key"),
            .absentOrEmpty("/etc/letsencrypt/{accounts,archive,live,keys}"),
            Check("content") { image in
                image.tree.nodes.filter { node in
                    node.status.kind == .file && isKeyFile(node.path) && node.status.size < 1 << 20
                }.compactMap { node in
                    guard let bytes = image.tree.bytes(node, limit: 1 << 20), PrivateKey.isIn(bytes),
                        !image.isPublic(node.path)
                    else { return nil }
                    return Observation("\(node.path)", "it has a private key", evidence: bytes)
                }
            },
        ])

    private static func isKeyFile(_ path: BytePath) -> Bool {
        let name = String(decoding: path.last, as: UTF8.self)
        return [".pem", ".key"].contains { name.hasSuffix($0) } || path.isInside("/etc/ssl/private")
    }

    private static let identities = Rule(
        "H-44", "No service has its identity.",
        reason: "Instances with one identity take each other's place.",
        hint: "remove it; the service makes one when it starts, or is registered",
        checks: [
            .absent("/etc/krb5.keytab", "/var/lib/samba/private/*.tdb", "/var/lib/sss/db/*"),
            .absent(
                "/etc/ceph/*.keyring", "/etc/salt/{pki/**,minion_id}", "/etc/puppetlabs/puppet/ssl/**",
                "/var/lib/puppet/ssl/**", "/etc/chef/*.pem"),
            .lines("/etc/iscsi/initiatorname.iscsi") { line, _ in
                line.hasPrefix("InitiatorName=") ? "it names an initiator" : nil
            },
            .absentOrEmpty("/etc/nvme/host{nqn,id}"),
            .lines("/etc/multipath/wwids") { _, _ in "it names a disk" },
            .absent("/etc/wireguard/*", "/var/lib/tailscale/*", "/var/lib/docker/engine-id"),
            .lines("/etc/ipsec.secrets") { line, _ in line.hasPrefix("include") ? nil : "it has a secret" },
            .absent("/var/lib/snapd/{state.json,serial}", verdict: .warning),
        ])

    private static let credentials = Rule(
        "H-45", "Nobody's home has credentials.",
        reason: "They open accounts elsewhere to everybody who has the image.",
        hint: "remove them, and revoke them: they may have been copied",
        checks: [
            Check("absent") { image in
                let names = [
                    ".aws/credentials", ".kube/config", ".docker/config.json", ".netrc", ".git-credentials",
                    ".config/gh/hosts.yml", ".config/gcloud/*", ".azure/*", ".pypirc", ".pgpass", ".my.cnf",
                    ".gnupg/private-keys*/*", ".gnupg/secring.gpg",
                ]
                return names.flatMap(image.inHomes).filter { $0.status.kind == .file && $0.status.size > 0 }.map {
                    Observation("\($0.path)", "it is there", evidence: image.tree.bytes($0, limit: 1 << 20))
                }
            },
            Check("nomatch") { image in
                image.inHomes(".{npmrc,yarnrc}").flatMap { node in
                    image.lines(node).filter { $0.contains("_auth") || $0.contains("_password") }.map {
                        Observation("\(node.path)", "it has a token", evidence: Array($0.utf8))
                    }
                }
            },
        ])
}
