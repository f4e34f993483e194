/// Options that every QEMU of ours gets.
enum QEMUOptions {
    /// No devices and no settings but ours, and no system calls that a machine does not need.
    static let isolation = [
        "-nodefaults", "-no-user-config",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]
}
