package import Model

/// The programs and files of other packages that the product uses.
package enum Tool: String, CaseIterable, Sendable {
    case mmdebstrap
    case aptGet = "apt-get"
    case gpgv
    case mke2fs
    case e2fsck
    case mkfsVfat = "mkfs.vfat"
    case mcopy
    case mmd
    case mlabel
    case sfdisk
    case qemuSystem = "qemu-system-x86_64"
    case qemuImg = "qemu-img"
    case newuidmap
    case newgidmap
    case tar
    case zstd
    case chroot
    case minisign
    case curl
    case rsync
    case xz
    case gzip
    case bzip2
    case virtInstall = "virt-install"
    case virsh
    /// UEFI firmware for x86-64 guests: files, no program.
    case uefiFirmware = "OVMF"

    /// The names under which the program is looked for, the usual one first. Empty for files.
    package var names: [String] {
        switch self {
        case .qemuSystem: [rawValue, "qemu-kvm", "kvm", "/usr/libexec/qemu-kvm"]
        case .uefiFirmware: []
        default: [rawValue]
        }
    }

    /// Sets of files, of which one suffices, the best first. Empty for programs. For firmware: the code, and the
    /// variable store to copy for each guest where code and variables are apart.
    package var files: [[String]] {
        guard self == .uefiFirmware else { return [] }
        return [["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"], ["/usr/share/ovmf/OVMF.fd"]]
    }

    /// The Debian package that brings it.
    package var package: String {
        switch self {
        case .mmdebstrap, .gpgv, .tar, .zstd, .minisign, .curl, .rsync, .gzip, .bzip2: rawValue
        case .aptGet: "apt"
        case .xz: "xz-utils"
        case .mke2fs, .e2fsck: "e2fsprogs"
        case .mkfsVfat: "dosfstools"
        case .mcopy, .mmd, .mlabel: "mtools"
        case .sfdisk: "fdisk"
        case .qemuSystem: "qemu-system-x86"
        case .qemuImg: "qemu-utils"
        case .newuidmap, .newgidmap: "uidmap"
        case .chroot: "coreutils"
        case .virtInstall: "virtinst"
        case .virsh: "libvirt-clients"
        case .uefiFirmware: "ovmf"
        }
    }

    /// What it is for, to be read after "it": `makes ext4 file systems`.
    package var purpose: String {
        switch self {
        case .mmdebstrap: "makes trees of Debian and its derivatives"
        case .aptGet: "fetches package lists and packages"
        case .gpgv: "checks the signatures of lists of packages and checksums"
        case .mke2fs: "makes ext4 file systems"
        case .e2fsck: "checks ext4 file systems"
        case .mkfsVfat: "makes EFI system partitions"
        case .mcopy, .mmd, .mlabel: "fills EFI system partitions"
        case .sfdisk: "writes partition tables"
        case .qemuSystem: "runs virtual machines"
        case .qemuImg: "makes and converts disk images"
        case .newuidmap, .newgidmap: "lets ordinary users have files of several owners"
        case .tar: "packs and unpacks trees"
        case .zstd: "compresses"
        case .chroot: "runs programs inside trees"
        case .virtInstall: "installs in machines of libvirt, where 'hypervisor: libvirt' asks for it"
        case .virsh: "removes machines of libvirt"
        case .minisign: "signs what is published and checks signatures"
        case .curl: "fetches files by HTTP, also for installing guests"
        case .rsync: "fetches files from rsync servers and uploads images"
        case .xz, .gzip, .bzip2: "unpacks what is fetched"
        case .uefiFirmware: "starts guests by UEFI"
        }
    }

    /// Whether few builds need it.
    package var isOptional: Bool { self == .virtInstall || self == .virsh }

    /// What makes the program tell its version. Nil where it does not: the package's version stands for it.
    var versionArguments: [String]? {
        switch self {
        case .mke2fs, .e2fsck: ["-V"]
        case .mkfsVfat: ["--help"]
        case .newuidmap, .newgidmap, .uefiFirmware: nil
        case .minisign: ["-v"]
        default: ["--version"]
        }
    }

    /// The error of a command that needs the tool where it is not installed.
    package var missing: FactoryError {
        FactoryError(
            .unavailable, "\(rawValue) is not installed; it \(purpose)",
            remedy: "install it: apt-get install \(package)")
    }
}
