import Model

/// What is changed in a filesystem for an operation. Patterns are those of `Ext4Editor.match`.
enum ResetEdit {
    /// Names and all below them.
    case remove(String)
    /// Regular files with such names anywhere below folders.
    case removeBelow(String, [String])
    /// Regular files, which stay with owner, mode and label.
    case truncate(String)
    /// Lines that begin with one of these words and `=`.
    case dropLines(String, [String])
    /// Regular files whose beginning has this text.
    case removeMarked(String, String)
    case write(String, String)
}

extension ResetOperation {
    /// Why nothing is done for it, where that is so whatever the image has.
    var obstacle: String? {
        switch self {
        case .fsUUIDs, .lvmUUIDs: "it changes volumes, not files: it is not supported offline"
        case .customize, .script: "it does nothing without settings of its own, which are not supported"
        case .userAccount: "accounts are not removed: let the definition make those that are wanted"
        default: nil
        }
    }

    /// Files that the operation changes, beside what it does in code.
    var edits: [ResetEdit] {
        systemEdits + networkEdits + serviceEdits
    }

    /// Of the system itself and of its users.
    private var systemEdits: [ResetEdit] {
        switch self {
        case .backupFiles: [.removeBelow("/{etc,root,srv,home}", ["*~", "*.bak"])]
        case .bashHistory:
            [
                .remove(
                    "/{root,home/*}/.{bash,sh,ash,zsh,python,mysql,psql,sqlite,node_repl,irb,rediscli}_history"),
                .remove("/{root,home/*}/{.viminfo,.lesshst,.wget-hsts,.histfile}"),
            ]
        case .blkidTab: [.remove("/{etc,etc/blkid,run/blkid,var/run}/blkid.tab{,.old}"), .remove("/dev/.blkid.tab")]
        case .crashData:
            [.remove("/{var/crash,var/log/dump,var/lib/systemd/coredump,var/lib/kdump,var/lib/apport/coredump}/*")]
        case .cronSpool:
            [.remove("/var/spool/cron/{crontabs,tabs,atjobs,atspool}/*"), .remove("/var/spool/{at,anacron}/*")]
        case .flagReconfiguration: [.write("/.unconfigured", "")]
        case .lvmSystemDevices: [.remove("/etc/lvm/devices/system.devices*")]
        case .mailSpool: [.remove("/var/{spool/mail,mail}/*")]
        case .pacctLog:
            [.remove("/var/{account,log/account}/pacct{-,.}*"), .truncate("/var/{account,log/account}/pacct")]
        case .packageManagerCache:
            [
                .remove("/var/cache/apt/{*.bin,archives/*.deb,archives/partial/*}"),
                .remove("/var/lib/apt/lists/{*_*,auxfiles/*,partial/*}"),
                .remove("/var/cache/{dnf,yum,libdnf5,PackageKit}/*"),
                .remove("/var/cache/zypp/{packages,raw,solv,pubkeys}/*"),
                .remove("/var/cache/pacman/pkg/*"),
            ]
        case .pamData: [.remove("/{run,var/run}/{console,faillock,sepermit}/*"), .remove("/var/lib/faillock/*")]
        case .passwdBackups: [.remove("/etc/{passwd,shadow,group,gshadow,subuid,subgid}-"), .remove("/etc/.pwd.lock")]
        case .randomSeed:
            [
                .remove("/var/lib/{systemd,urandom,misc}/random-seed"), .remove("/var/lib/random-seed"),
                .remove("/{boot,efi,boot/efi}/loader/random-seed"), .remove("/var/lib/systemd/credential.secret"),
            ]
        case .rpmDatabase: [.remove("/{var/lib/rpm,usr/lib/sysimage/rpm}/__db.*")]
        case .sshUserFolder: [.remove("/{root,home/*}/.ssh")]
        case .temporaryFiles: [.remove("/{tmp,var/tmp}/*")]
        case .utmp:
            [
                .remove("/var/log/{wtmp,btmp}{-,.}*"), .truncate("/var/log/{wtmp,btmp,lastlog,tallylog,faillog}"),
                .remove("/{run,var/run}/utmp"), .remove("/var/lib/{wtmpdb/wtmp.db,lastlog/lastlog2.db}"),
            ]
        default: []
        }
    }

    private var networkEdits: [ResetEdit] {
        let interfaces = "/etc/sysconfig/{network-scripts,network}/ifcfg-*"
        switch self {
        case .cloudInit:
            return [
                .remove("/etc/netplan/50-cloud-init.yaml"), .remove("/etc/network/interfaces.d/50-cloud-init{,.cfg}"),
                .remove("/etc/NetworkManager/system-connections/cloud-init-*.nmconnection"),
                .remove("/etc/NetworkManager/conf.d/*-cloud-init*.conf"),
                .remove("/etc/systemd/network/10-cloud-init-*"), .remove("/etc/ssh/sshd_config.d/50-cloud-init.conf"),
                .removeMarked(interfaces, "Created by cloud-init"), .truncate("/var/log/cloud-init{,-output}.log"),
            ]
        case .dhcpClientState:
            return [
                .remove("/var/lib/{dhclient,dhcp,dhcp3,dhcpcd,dhcpcd5}/*"),
                .remove("/var/lib/NetworkManager/*.lease"), .remove("/var/lib/wicked/lease-*"),
                .remove("/var/lib/systemd/network/*"),
            ]
        case .dhcpServerState: return [.remove("/var/lib/dhcpd/*")]
        case .firewallRules:
            return [.remove("/etc/sysconfig/{iptables,ip6tables}"), .remove("/etc/firewalld/{services,zones}/*")]
        case .netHostname: return [.dropLines(interfaces, ["HOSTNAME", "DHCP_HOSTNAME"])]
        case .netHardwareAddress: return [.dropLines(interfaces, ["HWADDR"])]
        case .netNetworkManager:
            return [
                .remove("/etc/NetworkManager/system-connections/*.nmconnection"),
                .remove("/var/lib/NetworkManager/{secret_key,timestamps,seen-bssids}"),
            ]
        case .udevPersistentNet: return [.remove("/etc/udev/rules.d/{70,75}-persistent-net*.rules")]
        default: return []
        }
    }

    private var serviceEdits: [ResetEdit] {
        switch self {
        case .abrtData: [.remove("/var/spool/abrt/*")]
        case .caCertificates:
            [
                .remove("/etc/pki/CA/{certs,crl,newcerts,private}/*"), .remove("/etc/pki/tls/private/*"),
                .remove("/etc/ssl/private/*.key"),
            ]
        case .dovecotData: [.remove("/var/lib/dovecot/*")]
        case .ipaClient:
            [.remove("/etc/ipa/{ca.crt,default.conf}"), .remove("/var/lib/ipa-client/{sysrestore,pki}/*")]
        case .kerberosData: [.remove("/var/kerberos/krb5kdc/{principal*,.k5*}")]
        case .kerberosHostKeytab: [.remove("/etc/krb5.keytab")]
        case .puppetDataLog:
            [
                .remove("/var/log/puppet{,labs/*}/*"), .remove("/var/lib/puppet/*/*"),
                .remove("/etc/puppetlabs/puppet/ssl/*"),
            ]
        case .rhSubscriptionManager:
            [.remove("/etc/pki/{consumer,entitlement}/*"), .remove("/var/lib/rhsm/{cache,facts}/*")]
        case .rhnSystemID: [.remove("/etc/sysconfig/rhn/{systemid,osad-auth.conf}")]
        case .sambaDatabaseLog: [.remove("/var/log/samba/*"), .remove("/var/lib/samba/{*.tdb,*.ldb,private/*,lock/*}")]
        case .smoltUUID: [.remove("/etc/{sysconfig/hw-uuid,smolt/uuid,smolt/hw-uuid}")]
        case .sssdDatabaseLog: [.remove("/var/log/sssd/*"), .remove("/var/lib/sss/{db,mc}/*")]
        case .yumUUID: [.remove("/var/lib/{yum,dnf}/uuid")]
        default: []
        }
    }
}
