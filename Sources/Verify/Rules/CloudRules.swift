import Model
import Filesystems

/// What cloud-init and installers leave of one instance.
enum CloudRules {
    static let rules = [state, disabled]

    private static let state = Rule(
        "H-14", "There is no state of cloud-init and no configuration of an installer.",
        reason: "cloud-init takes a new instance for the old one and configures nothing.",
        hint: "run 'cloud-init clean --logs --seed', and remove the installer's files",
        checks: [
            .absentOrEmpty("/var/lib/cloud/{instance,instances,data,sem,seed}"),
            .absentOrEmpty("/var/log/cloud-init*.log", "/run/cloud-init"),
            .absent(
                "/etc/cloud/cloud.cfg.d/{*installer*,subiquity-disable-cloudinit-networking.cfg,curtin-preserve-sources.cfg}"
            ),
        ])

    private static let disabled = Rule(
        "H-15", "cloud-init is not switched off where it is installed.",
        reason: "Instances would come up without keys, names and addresses.",
        hint: "remove /etc/cloud/cloud-init.disabled",
        checks: [
            Check("absent") { image in
                guard image.tree.find("/usr/bin/cloud-init") != nil,
                    let node = image.tree.find("/etc/cloud/cloud-init.disabled", following: false),
                    !image.isDeclared(node.path)
                else { return [] }
                return [Observation("\(node.path)", "it is there")]
            }
        ])
}
