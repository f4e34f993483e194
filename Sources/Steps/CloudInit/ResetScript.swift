import Filesystems
import Model

/// The operations of a reset as commands of a POSIX shell, for guests whose disk the host cannot edit: part of the probe,
/// which says what was removed by its function `say`.
struct ResetScript {
    let text: String

    init(_ selection: ResetSelection?) {
        guard let selection else {
            text = ""
            return
        }
        let operations = selection.operations.filter { $0.obstacle == nil }
        text = ([Self.functions] + operations.map(Self.commands) + [Self.ending]).joined(separator: "\n")
    }

    /// Services that would write again what is removed have to be still before.
    private static let functions = #"""
        systemctl stop systemd-random-seed.service rsyslog.service 2> /dev/null
        journalctl --relinquish-var > /dev/null 2>&1
        tell() {
            case $1 in
                *[[:cntrl:]\"\\]*) return ;;
            esac
            say reset ",\"operation\":\"$operation\",\"path\":\"$1\""
        }
        there() { [ -e "$1" ] || [ -L "$1" ]; }
        gone() {
            for name in "$@"; do
                case ${name##*/} in .|..) continue ;; esac
                if there "$name"; then rm -rf -- "$name" && tell "$name"; fi
            done
        }
        emptied() {
            for name in "$@"; do
                if [ -f "$name" ] && [ -s "$name" ]; then : > "$name" && tell "$name"; fi
            done
        }
        found() {
            while IFS= read -r name; do "$1" "$name"; done
        }
        without() {
            word=$1
            shift
            for name in "$@"; do
                if [ -f "$name" ] && grep -q "^$word=" "$name"; then sed -i "/^$word=/d" "$name" && tell "$name"; fi
            done
        }
        marked() {
            word=$1
            shift
            for name in "$@"; do
                if [ -f "$name" ] && grep -qF -- "$word" "$name"; then gone "$name"; fi
            done
        }
        """#

    private static let ending = "fstrim -a > /dev/null 2>&1"

    private static func commands(_ operation: ResetOperation) -> String {
        (["operation=\(operation.rawValue)"] + operation.edits.map(command) + special(operation))
            .joined(separator: "\n")
    }

    private static func command(_ edit: ResetEdit) -> String {
        switch edit {
        case .remove(let pattern): "gone \(places(pattern))"
        case .truncate(let pattern): "emptied \(places(pattern))"
        case .removeBelow(let folders, let names):
            "find \(places(folders)) -xdev -type f \\( \(names.map { "-name '\($0)'" }.joined(separator: " -o ")) \\)"
                + " 2> /dev/null | found gone"
        case .dropLines(let pattern, let words):
            words.map { "without \($0) \(places(pattern))" }.joined(separator: "\n")
        case .removeMarked(let pattern, let mark): "marked '\(mark)' \(places(pattern))"
        case .write(let path, let text): "printf '%s' '\(text)' > \"$root\"\(path) && tell \"$root\"\(path)"
        }
    }

    /// A shell's star does not stand for a dot in front.
    private static func places(_ pattern: String) -> String {
        PathPattern.alternatives(pattern).flatMap { plain -> [String] in
            guard let slash = plain.lastIndex(of: "/"), plain[slash...].hasPrefix("/*") else { return [plain] }
            let folder = plain[...slash]
            let name = plain[plain.index(after: slash)...]
            return [plain, "\(folder).\(name == "*" ? "[!.]*" : name)"]
        }.map { "\"$root\"" + $0 }.joined(separator: " ")
    }

    /// What `ResetOperations` does in code.
    private static func special(_ operation: ResetOperation) -> [String] {
        let text: String
        switch operation {
        case .cloudInit:
            text = #"""
                for name in "$root"/var/lib/cloud/*; do
                    case $name in */seed) ;; *) gone "$name" ;; esac
                done
                """#
        case .logFiles:
            text = #"""
                gone "$root"/var/log/journal/* "$root"/root/install.log* "$root"/root/*-ks.cfg
                digits='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
                for kind in '*.gz' '*.xz' '*.bz2' '*.zst' '*.old' '*[-.][0-9]' '*[-.][0-9][0-9]' "*[-.]$digits"; do
                    find "$root"/var/log -xdev -type f -name "$kind" 2> /dev/null | found gone
                done
                find "$root"/var/log -xdev -type f -size +0 2> /dev/null | found emptied
                """#
        case .machineID:
            text = #"""
                emptied "$root"/etc/machine-id
                bus=$root/var/lib/dbus/machine-id
                if [ -f "$bus" ] && [ ! -L "$bus" ]; then ln -sf /etc/machine-id "$bus" && tell "$bus"; fi
                """#
        // cloud-init, which is here, makes new ones.
        case .sshHostKeys: text = "gone \"$root\"/etc/ssh/*_host_*"
        // Zeroes are holes on the disks of our machines. The header of a page's size stays.
        case .swap:
            text = #"""
                areas=$(sed -n 's|^\(/dev/[^[:space:]]*\)[[:space:]]*partition.*|\1|p' "$root/proc/swaps" 2> /dev/null)
                for area in $areas; do
                    swapoff "$area" && dd if=/dev/zero of="$area" bs=65536 seek=1 2> /dev/null
                    tell "$area"
                done
                """#
        default: return []
        }
        return [text]
    }
}
