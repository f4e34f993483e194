import Model
import Verify

extension Plant {
    static let boot = [
        Plant("H-40", "a swap file", .write("/swapfile", "x", mode: 0o600)),
        Plant("H-40", "swap that was used", .disk(CleanImage.swap + 8192, [1, 2, 3])),
        Plant("H-40", "devices of LVM", .write("/etc/lvm/devices/system.devices", "x")),
        Plant(
            "H-40", "a volume of LVM",
            .program("sgdisk", ["--typecode=2:8e00"])),
        Plant("H-41", "a filesystem that is not there", .write("/etc/fstab", "UUID=\(other) / ext4 defaults 0 1\n")),
        Plant("H-41", "a device of the build", .write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")),
        Plant("H-41", "a CD-ROM", .write("/etc/fstab", "none /media/cdrom0 iso9660 ro 0 0\n")),
        Plant("H-41", "a kernel of another root", .write("/boot/grub/grub.cfg", "linux /vmlinuz root=/dev/vda1 ro\n")),
        Plant(
            "H-41", "a loader of another root", .write("/boot/grub/grub.cfg", "search --fs-uuid --set=root \(other)\n")),
        Plant("H-42", "a machine id as entry token", .write("/etc/kernel/entry-token", id + "\n")),
        Plant("H-42", "a folder of a machine id", .folder("/boot/" + id)),
    ]

    private static let other = "11111111-2222-3333-4444-555555555555"

    static let credentials = [
        Plant("H-43", "a key of snakeoil", .write("/etc/ssl/private/ssl-cert-snakeoil.key", "x")),
        Plant("H-43", "certificates", .write("/etc/letsencrypt/live/x", "x")),
        Plant("H-43", "a private key", .write("/srv/server.pem", privateKey), companions: ["H-53"]),
        Plant("H-44", "a keytab", .write("/etc/krb5.keytab", "x")),
        Plant("H-44", "an identity of salt", .write("/etc/salt/minion_id", "x")),
        Plant("H-44", "an initiator", .write("/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.x\n")),
        Plant("H-44", "a host of NVMe", .write("/etc/nvme/hostnqn", "nqn.x\n")),
        Plant("H-44", "disks of multipath", .write("/etc/multipath/wwids", "/3600/\n")),
        Plant("H-44", "an identity of docker", .write("/var/lib/docker/engine-id", "x")),
        Plant("H-44", "secrets of IPsec", .write("/etc/ipsec.secrets", ": PSK \"x\"\n")),
        Plant("H-44", "a state of snapd", .write("/var/lib/snapd/state.json", "{}")),
        Plant("H-45", "credentials of AWS", .write("/root/.aws/credentials", "x\n", mode: 0o600)),
        Plant("H-45", "a token of npm", .write("/root/.npmrc", "//x/:_authToken=y\n", mode: 0o600)),
    ]

    static let tree = [
        Plant(
            "H-48", "a program of no package", .write("/usr/local/bin/su", "x", mode: 0o4755)),
        Plant(
            "H-48", "a program that needs no privileges", .write("/usr/bin/vim", "x", mode: 0o755),
            .attribute(
                "/usr/bin/vim", "security.capability", [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            .write("/var/lib/dpkg/info/vim.list", "/usr/bin/vim\n")),
        Plant("H-49", "a file that everybody writes", .write("/etc/motd", "x", mode: 0o666)),
        Plant("H-49", "a file of nobody", .write("/etc/motd", "x"), .field("/etc/motd", "uid", "200")),
        Plant(
            "H-49", "a user's file outside of the home", .write("/etc/motd", "x"), .field("/etc/motd", "uid", "1000")),
        Plant("H-58", "no id of the system", .write("/etc/os-release", "ID_LIKE=debian\n")),
        Plant("H-58", "an image without version", .write("/etc/os-release", "ID=debian\nIMAGE_ID=web\n")),
    ]

    static let disk = [
        Plant("H-52", "a complaint of e2fsck", facts: VerifyFacts(checks: [CleanImage.root: ["it is damaged"]])),
        Plant("H-52", "a filesystem with errors", .superblock("state", "2")),
        Plant("H-52", "a journal to replay", .debugfs("feature needs_recovery")),
        Plant("H-52", "a filesystem that was in use", .superblock("mnt_count", "3")),
        Plant("H-52", "a place of a mount", .superblock("last_mounted", "/mnt/build")),
        Plant("H-52", "a path as label", .superblock("volume_name", "/mnt/build")),
        Plant("H-52", "an entry that leads nowhere", .write("/etc/motd", "x"), .debugfs("clri /etc/motd")),
        Plant("H-53", "a secret", .write("/etc/motd", "the correct horse battery staple"), facts: secret),
        Plant("H-53", "a secret in base64", .write("/etc/motd", "xIGNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="), facts: secret),
        Plant(
            "H-53", "a secret in UTF-16",
            .bytes("/etc/motd", "correct horse battery".utf16.flatMap { [UInt8($0), 0] }), facts: secret),
        Plant("H-53", "a secret in free space", .free(Array("correct horse battery".utf8)), facts: secret),
        Plant(
            "H-53", "more that looks like a secret than can be looked at",
            .write("/etc/motd", String(repeating: "PRIVATE KEY-----", count: 1 << 16))),
        Plant(
            "H-53", "the builder's name", .write("/etc/motd", "made on worker-0815 today"),
            traces: VerifyTraces(hostName: "worker-0815")),
        Plant(
            "H-53", "the builder's home", .write("/etc/motd", "/home/somebody/src"),
            traces: VerifyTraces(home: "/home/somebody")),
        Plant(
            "H-53", "a proxy", .write("/etc/motd", "http://proxy.build:3128/"),
            traces: VerifyTraces(addresses: ["http://proxy.build:3128"])),
        Plant("H-53", "a private key in free space", .free(Array(privateKey.utf8))),
        Plant("H-54", "free space that is not zero", .free([UInt8](repeating: 7, count: 1 << 18))),
        Plant("H-54", "a block's end that is not zero", .write("/etc/motd", "x"), .slack("/etc/motd", [1])),
        Plant("H-55", "a file with snapshots", facts: VerifyFacts(container: ["it has 1 internal snapshots"])),
        Plant("H-55", "a file with a part of a sector", .size((34 << 20) + 100)),
        Plant("H-55", "a disk that is cut off", .size(20 << 20), companions: ["H-56"]),
        Plant("H-56", "a damaged backup table", .disk((34 << 20) - 512 + 56, [0xff])),
        Plant("H-56", "a disk without an id", .program("sgdisk", ["--disk-guid=00000000-0000-0000-0000-000000000000"])),
        Plant("H-56", "an old RAID", .disk(CleanImage.swap - 8192, [0xfc, 0x4e, 0x2b, 0xa9])),
        Plant("H-56", "an ESP that was not unmounted", .disk(CleanImage.esp + 37, [1])),
    ]
}
