/// A key of image-factory.conf.
package struct INIKey: Sendable {
    package var name: String
    /// What holds without it, as a person reads it; nil if nothing does.
    package var standard: String?
    package var summary: String

    init(_ name: String, standard: String? = nil, _ summary: String) {
        self.name = name
        self.standard = standard
        self.summary = summary
    }
}

/// The keys that are read: of an image's section, which inherits those of `[DEFAULT]`, and of a destination's.
package enum INIKeys {
    package static let image: [INIKey] = [
        INIKey("append", "Further arguments of the installer's kernel."),
        INIKey(
            "autoinstall", "An answer file for Ubuntu's installer of 22.04 and later."),
        INIKey("boot-check", standard: "False", "Whether the finished image is booted to prove it."),
        INIKey(
            "cache_dir", standard: "~/.cache/image-factory, for root /var/cache/image-factory",
            "The folder for downloads and results."),
        INIKey("cores", standard: "1", "How many processors the installing machine has."),
        INIKey("firmware", standard: "bios", "What the image starts under: bios, uefi or both."),
        INIKey("format", standard: "raw", "qcow2 or raw."),
        INIKey("hypervisor", standard: "qemu", "qemu, or libvirt for virt-install and virsh."),
        INIKey("image-size", standard: "2G", "The size of the disk."),
        INIKey("initrd", "The installer's initrd: an absolute path, or a file, http, https or rsync URI."),
        INIKey("initrd-sha256", "The SHA-256 digest that the initrd must have."),
        INIKey("installer-image-sha256", "The SHA-256 digest that the installation image must have."),
        INIKey("installer-logs", standard: "False", "Whether the installer's logs are shown."),
        INIKey("installer_image", "An installation image in place of kernel and initrd; a path or URI as theirs."),
        INIKey("keep-raw", standard: "False", "Whether the raw disk stays beside a qcow2 file."),
        INIKey("kickstart", "An answer file for Fedora and the RHEL family."),
        INIKey("linux", "The installer's kernel; a path or URI as the initrd's."),
        INIKey("linux-sha256", "The SHA-256 digest that the kernel must have."),
        INIKey("log-file", standard: "False", "Whether the log goes to a file too."),
        INIKey("log-filename", standard: "IMAGE-DATE.log", "That file."),
        INIKey("mac", "The MAC address of the installing machine."),
        INIKey("network", standard: "proxy", "proxy: the machine reaches only the package proxy; or open."),
        INIKey(
            "partitions", standard: "linux", "linux: exactly one partition with a Linux filesystem; or strict: one."),
        INIKey("post-build-command", "A program that gets the image's name when all is done."),
        INIKey("preseed", "An answer file for the Debian installer."),
        INIKey("ram", "The memory of the installing machine; required."),
        INIKey("upload_destinations", "Sections of destinations, with commas between them."),
        INIKey(
            "verify", standard: "report",
            "report: what the rules of sound images find is told; strict: it ends the build."),
        INIKey("vnc", "HOST:DISPLAY to look at the installation."),
        INIKey("yast", "An answer file for openSUSE and SLES."),
    ]

    package static let destination: [INIKey] = [
        INIKey("post-upload-command", "A program with arguments, split at blanks; ${image} is the image's name."),
        INIKey("post-upload-command1", "Further ones: 1, 2, … up to the first number that is not there."),
        INIKey("upload_args", "Arguments for the uploading program, split at blanks."),
        INIKey("upload_target", "Where to; required."),
        INIKey("upload_type", "rsync; required."),
    ]
}
