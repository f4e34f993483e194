import Model
import SystemPackage

/// virt-install's command line.
struct LibvirtArguments {
    var domain: LibvirtDomain
    var action: InstallAction
    var disk: FilePath
    /// A folder with the kernel `linux` and the initrd `initrd`.
    var location: FilePath
    /// Files that virt-install puts into the initrd.
    var injected: [FilePath]
    /// The disk `cidata`.
    var seed: FilePath?
    /// The installation image, for a CD-ROM drive.
    var medium: FilePath?
    var commandLine: String
    var console: FilePath
    var report: FilePath
    var vnc: VNCDisplay?
    var accelerator: Accelerator
    var processors: UInt32

    var arguments: [String] {
        var words = [
            "--connect", domain.connection, "--noreboot", "--wait", "-1", "--name", domain.name,
            "--vcpus", "\(processors)", "--memory", "\(max(1, action.memory.bytes >> 20))",
            "--disk", "path=\(disk),bus=virtio,format=raw", "--network", network, "--graphics", graphics,
            "--serial", "pty,log.file=\(console)", "--serial", "file,path=\(report)",
            "--console", "pty,target_type=serial", "--noautoconsole",
            "--location", "\(location),kernel=linux,initrd=initrd", "--extra-args", commandLine,
        ]
        for file in injected { words += ["--initrd-inject", file.string] }
        if let seed { words += ["--disk", "path=\(seed),bus=virtio,format=raw,readonly=on"] }
        if let medium { words += ["--disk", "path=\(medium),device=cdrom,format=raw,readonly=on"] }
        if action.firmware == .uefi { words += ["--boot", "uefi"] }
        if accelerator == .tcg { words += ["--virt-type", "qemu"] }
        return words + ["--osinfo", "detect=on,require=off"]
    }

    private var network: String { "user,model=virtio" + (action.mac.map { ",mac=\($0)" } ?? "") }

    private var graphics: String {
        guard let vnc else { return "none" }
        return "vnc,port=\(vnc.port)" + (vnc.host.map { ",listen=\($0)" } ?? "")
    }

    /// Refuses paths that virt-install would read as more than a path.
    func check() throws {
        for path in [disk, location, console, report, seed, medium].compactMap(\.self) where path.string.contains(",") {
            throw FactoryError(
                .definition, "virt-install takes no path with a comma: \(path)",
                remedy: "set XDG_CACHE_HOME to a folder without one")
        }
    }
}
