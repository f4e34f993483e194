import Model
import Testing

@Suite struct ResetSelectionTests {
    /// The list of guestfs-tools, and ours.
    @Test func `Every operation of virt-sysprep has its name`() {
        let names = """
            abrt-data backup-files bash-history blkid-tab ca-certificates crash-data cron-spool customize \
            dhcp-client-state dhcp-server-state dovecot-data firewall-rules flag-reconfiguration fs-uuids ipa-client \
            kerberos-data kerberos-hostkeytab logfiles lvm-system-devices lvm-uuids machine-id mail-spool net-hostname \
            net-hwaddr net-nmconn pacct-log package-manager-cache pam-data passwd-backups puppet-data-log \
            rh-subscription-manager rhn-systemid rpm-db samba-db-log script smolt-uuid ssh-hostkeys ssh-userdir \
            sssd-db-log tmp-files udev-persistent-net user-account utmp yum-uuid
            """.split(separator: " ").map(String.init)
        #expect(Set(ResetOperation.allCases.map(\.rawValue)) == Set(names + ["cloud-init", "random-seed", "swap"]))
        #expect(
            Set(ResetOperation.allCases.filter { !$0.isDefault }.map(\.rawValue)) == [
                "ca-certificates", "firewall-rules", "flag-reconfiguration", "fs-uuids", "kerberos-data",
                "user-account",
            ])
    }

    @Test(arguments: [
        (["utmp"], ["utmp"]), (["utmp,machine-id"], ["machine-id", "utmp"]),
        (["utmp", "machine-id"], ["machine-id", "utmp"]),
        (["utmp, machine-id", "-utmp"], ["machine-id"]), (["-utmp,utmp"], ["utmp"]), ([""], []), (["all,-all"], []),
    ])
    func `Lists add up in their order`(lists: [String], names: [String]) throws {
        #expect(try ResetSelection(parsing: lists).operations.map(\.rawValue) == names)
    }

    @Test func `The old program's own choice leaves the keys of users`() throws {
        let chosen = try ResetSelection(parsing: ["defaults,-ssh-userdir"]).operations
        #expect(Set(ResetSelection.defaults.operations).subtracting(chosen) == [.sshUserFolder])
        #expect(try ResetSelection(parsing: []) == .defaults)
        #expect(try ResetSelection(parsing: ["all"]).operations.count == ResetOperation.allCases.count)
    }

    @Test(arguments: ["ssh-keys", "-ssh-keys", "Utmp", "--utmp"])
    func `An unknown name is answered with the known ones`(name: String) {
        let error = #expect(throws: FactoryError.self) { try ResetSelection(parsing: ["utmp," + name]) }
        #expect(error?.message.contains("no reset operation") == true)
        #expect(error?.remedy?.contains("defaults, all, abrt-data, ") == true)
        #expect(error?.remedy?.contains("ssh-hostkeys") == true)
    }
}
