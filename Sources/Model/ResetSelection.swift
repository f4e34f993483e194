/// What can be reset in an image before it is cloned: the operations of virt-sysprep by their names, and ours.
package enum ResetOperation: String, Hashable, Sendable, Codable, CaseIterable {
    case abrtData = "abrt-data"
    case backupFiles = "backup-files"
    case bashHistory = "bash-history"
    case blkidTab = "blkid-tab"
    case caCertificates = "ca-certificates"
    /// Ours: what cloud-init keeps of an instance, and the network configuration that it wrote.
    case cloudInit = "cloud-init"
    case crashData = "crash-data"
    case cronSpool = "cron-spool"
    case customize
    case dhcpClientState = "dhcp-client-state"
    case dhcpServerState = "dhcp-server-state"
    case dovecotData = "dovecot-data"
    case firewallRules = "firewall-rules"
    case flagReconfiguration = "flag-reconfiguration"
    case fsUUIDs = "fs-uuids"
    case ipaClient = "ipa-client"
    case kerberosData = "kerberos-data"
    case kerberosHostKeytab = "kerberos-hostkeytab"
    case logFiles = "logfiles"
    case lvmSystemDevices = "lvm-system-devices"
    case lvmUUIDs = "lvm-uuids"
    case machineID = "machine-id"
    case mailSpool = "mail-spool"
    case netHostname = "net-hostname"
    case netHardwareAddress = "net-hwaddr"
    case netNetworkManager = "net-nmconn"
    case pacctLog = "pacct-log"
    case packageManagerCache = "package-manager-cache"
    case pamData = "pam-data"
    case passwdBackups = "passwd-backups"
    case puppetDataLog = "puppet-data-log"
    /// Ours: what random numbers and encrypted credentials start from.
    case randomSeed = "random-seed"
    case rhSubscriptionManager = "rh-subscription-manager"
    case rhnSystemID = "rhn-systemid"
    case rpmDatabase = "rpm-db"
    case sambaDatabaseLog = "samba-db-log"
    case script
    case smoltUUID = "smolt-uuid"
    case sshHostKeys = "ssh-hostkeys"
    case sshUserFolder = "ssh-userdir"
    case sssdDatabaseLog = "sssd-db-log"
    /// Ours: what is left of a machine's memory in swap partitions.
    case swap
    case temporaryFiles = "tmp-files"
    case udevPersistentNet = "udev-persistent-net"
    case userAccount = "user-account"
    case utmp
    case yumUUID = "yum-uuid"

    /// Whether `defaults` names it.
    package var isDefault: Bool {
        switch self {
        case .caCertificates, .firewallRules, .flagReconfiguration, .fsUUIDs, .kerberosData, .userAccount: false
        default: true
        }
    }
}

/// Which operations are asked for, in virt-sysprep's way: comma lists of names, `defaults` and `all`; `-` in front takes
/// them away again. Several lists add up in their order.
package struct ResetSelection: Hashable, Sendable, Codable {
    /// In the order of their names.
    package let operations: [ResetOperation]

    package static let defaults = ResetSelection(ResetOperation.allCases.filter(\.isDefault))

    package init(_ operations: some Sequence<ResetOperation>) {
        self.operations = Set(operations).sorted { $0.rawValue < $1.rawValue }
    }

    /// - Parameter lists: as they were given; without any it is `defaults`.
    /// Throws `FactoryError` for a name that is none, with those that are.
    package init(parsing lists: [String]) throws {
        guard !lists.isEmpty else {
            self = .defaults
            return
        }
        var chosen: Set<ResetOperation> = []
        for item in lists.flatMap({ $0.split(separator: ",") }) {
            let word = String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard !word.isEmpty else { continue }
            let isRemoval = word.hasPrefix("-")
            let named = try Self.named(isRemoval ? String(word.dropFirst()) : word)
            if isRemoval { chosen.subtract(named) } else { chosen.formUnion(named) }
        }
        self.init(chosen)
    }

    private static func named(_ name: String) throws -> [ResetOperation] {
        switch name {
        case "defaults": return Self.defaults.operations
        case "all": return ResetOperation.allCases
        default:
            if let operation = ResetOperation(rawValue: name) { return [operation] }
            let known = ResetOperation.allCases.map(\.rawValue).sorted().joined(separator: ", ")
            throw FactoryError(
                .usage, "there is no reset operation '\(name)'", remedy: "choose from: defaults, all, \(known)")
        }
    }
}
