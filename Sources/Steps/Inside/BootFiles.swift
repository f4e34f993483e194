import Model
import SystemPackage
import Tooling

/// The boot loader in the tree, by the tree's own GRUB, laid out as grub-install does: modules and images in
/// /boot/grub, so that update-grub and grub-install of an instance find what they expect.
struct BootFiles {
    let action: AssembleAction
    let ids: DiskIdentifiers
    let tree: TreeRoot
    let commands: TreeCommands

    /// The loader for the ESP, in the tree; nil without UEFI.
    var efiLoader: String? { action.layout.firmware == .bios ? nil : "/boot/grub/x86_64-efi/core.efi" }

    func write() async throws {
        try writeFilesystemTable()
        if action.layout.firmware != .uefi {
            try await makeImage(
                "i386-pc", output: "core.img",
                modules: ["biosdisk", "part_gpt", "part_msdos", "ext2", "search_fs_uuid"])
        }
        if action.layout.firmware != .bios {
            try tree.makeFolder("/boot/efi", mode: 0o700)
            try await makeImage(
                "x86_64-efi", output: "core.efi",
                modules: ["part_gpt", "part_msdos", "ext2", "fat", "search_fs_uuid", "normal", "configfile"])
        }
        try writeMenu()
    }

    private func writeFilesystemTable() throws {
        var table = "# <file system> <mount point> <type> <options> <dump> <pass>\n"
        table += "UUID=\(ids.rootFilesystem) / ext4 errors=remount-ro 0 1\n"
        if action.layout.firmware != .bios {
            // An instance must come up even if somebody has replaced its ESP.
            table += "UUID=\(ids.espUUID) /boot/efi vfat umask=0077,nofail 0 1\n"
        }
        try tree.write(table, to: "/etc/fstab")
    }

    private func makeImage(_ platform: String, output: String, modules: [String]) async throws {
        let library = "/usr/lib/grub/\(platform)"
        let folder = "/boot/grub/\(platform)"
        guard try tree.exists(library) else {
            throw FactoryError(.failed, "the tree has no GRUB for \(platform)", remedy: "do not remove its package")
        }
        for name in try tree.names(library) where Self.isModule(name) {
            guard let bytes = try tree.read("\(library)/\(name)") else { continue }
            try tree.write(bytes, to: "\(folder)/\(name)")
        }
        try tree.write(
            "search.fs_uuid \(ids.rootFilesystem) root\nset prefix=($root)'/boot/grub'\n", to: "\(folder)/load.cfg")
        try await commands.run(
            "/usr/bin/grub-mkimage",
            [
                "--directory=\(library)", "--format=\(platform)", "--output=\(folder)/\(output)",
                "--prefix=/boot/grub", "--config=\(folder)/load.cfg",
            ] + modules, activity: "making the boot image for \(platform)")
    }

    private static func isModule(_ name: String) -> Bool {
        [".mod", ".lst"].contains { name.hasSuffix($0) } || name == "boot.img" || name == "modinfo.sh"
    }

    /// The first menu, in the place of what update-grub writes in an instance.
    private func writeMenu() throws {
        let kernels = try tree.names("/boot").filter { $0.hasPrefix("vmlinuz-") }.map { String($0.dropFirst(8)) }
            .sorted { VersionOrder.isBefore($1, $0) }
        guard !kernels.isEmpty else {
            throw FactoryError(
                .failed, "the tree has no kernel in /boot", remedy: "add a linux-image package to packages:")
        }
        let title = try OSRelease.title(tree.text("/etc/os-release") ?? "")
        let arguments = KernelCommandLine.arguments(action.kernelArguments)
        var menu = """
            # The first menu of this image; update-grub writes it anew.
            serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1
            terminal_input console serial
            terminal_output console serial
            set default=0
            set timeout=1
            search --no-floppy --fs-uuid --set=root \(ids.rootFilesystem)

            """
        for kernel in kernels {
            menu += """
                menuentry '\(title), with Linux \(kernel)' --class gnu-linux {
                    linux /boot/vmlinuz-\(kernel) root=UUID=\(ids.rootFilesystem) ro \(arguments)

                """
            if try tree.exists("/boot/initrd.img-" + kernel) { menu += "    initrd /boot/initrd.img-\(kernel)\n" }
            menu += "}\n"
        }
        try tree.write(menu, to: "/boot/grub/grub.cfg", mode: 0o600)
    }
}

/// Fields of os-release(5).
enum OSRelease {
    static func title(_ text: String) -> String {
        for line in text.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            let value = line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" && $0 != "'" && $0 != "\\" }
            if !value.isEmpty { return String(value) }
        }
        return "GNU/Linux"
    }
}

/// The order of kernel versions: runs of digits count as numbers.
enum VersionOrder {
    static func isBefore(_ left: String, _ right: String) -> Bool {
        let (one, other) = (parts(left), parts(right))
        for (first, second) in zip(one, other) where first != second {
            guard let a = UInt64(first), let b = UInt64(second) else { return first < second }
            return a < b
        }
        return one.count < other.count
    }

    private static func parts(_ text: String) -> [String] {
        var parts: [String] = []
        for character in text {
            if let last = parts.last?.last, last.isNumber == character.isNumber {
                parts[parts.count - 1].append(character)
            } else {
                parts.append(String(character))
            }
        }
        return parts
    }
}
