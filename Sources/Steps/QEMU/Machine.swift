package import Model

/// A virtual PC as QEMU gets it. All paths are as QEMU sees them.
package struct Machine: Hashable, Sendable {
    package enum Firmware: Hashable, Sendable {
        case bios
        /// `variables` is a writable copy of the variable store; nil where `code` is one file with both.
        case uefi(code: String, variables: String?)
    }

    package enum Network: Hashable, Sendable {
        case none
        /// A network card behind which only QEMU is: addresses by DHCP, no way out.
        case isolated
        /// The same, and the guest's port 22 at a port of 127.0.0.1.
        case sshForwarded(port: UInt16)
        /// Whatever the network namespace of QEMU has: with `Containment.Network.relayed` the program's own proxy and
        /// nothing else, with `.host` all that the host reaches, and the host. See `GuestNetwork`.
        case shared
    }

    package enum DiskFormat: String, Hashable, Sendable {
        case raw
        case qcow2
    }

    package struct Disk: Hashable, Sendable {
        /// A file that is read only, below an overlay.
        package struct Base: Hashable, Sendable {
            package var file: String
            package var format: DiskFormat

            package init(file: String, format: DiskFormat) {
                self.file = file
                self.format = format
            }
        }

        /// What the guest writes to.
        package var file: String
        package var format: DiskFormat
        /// What is behind `file`, which is qcow2 then. What the file itself names is not believed.
        package var base: Base?
        /// Whether the disk is what the machine runs for: zeroes become holes of the file, and the machine stops when
        /// the host cannot write it.
        package var isResult: Bool

        package init(file: String, format: DiskFormat, base: Base? = nil, isResult: Bool = false) {
            self.file = file
            self.format = format
            self.base = base
            self.isResult = isResult
        }
    }

    /// A Linux kernel that is started without a boot loader of the guest.
    package struct Kernel: Hashable, Sendable {
        package var file: String
        package var initrd: String
        package var commandLine: String

        package init(file: String, initrd: String, commandLine: String) {
            self.file = file
            self.initrd = initrd
            self.commandLine = commandLine
        }
    }

    /// What the machine has beside the usual, for the installer of a distribution.
    package struct Installation: Hashable, Sendable {
        package var kernel: Kernel
        /// An ISO image in a CD-ROM drive.
        package var medium: String?
        /// Nil lets the accelerator decide.
        package var processors: UInt32?
        /// Of the network card: `52:54:00:12:34:56`.
        package var mac: String?
        /// Whether there is a display at the VNC socket.
        package var hasDisplay: Bool

        package init(
            kernel: Kernel, medium: String? = nil, processors: UInt32? = nil, mac: String? = nil,
            hasDisplay: Bool = false
        ) {
            self.kernel = kernel
            self.medium = medium
            self.processors = processors
            self.mac = mac
            self.hasDisplay = hasDisplay
        }
    }

    /// What the machine has beside the usual, for a guest that cloud-init sets up: a virtio-serial port for the guest's
    /// report.
    package struct Setup: Hashable, Sendable {
        /// Nil lets the accelerator decide.
        package var processors: UInt32?
        /// SMBIOS: by the serial number cloud-init knows its data source, by the family our probe knows the machine.
        package var serial: String?
        package var family: String
        /// Whether there is a monitor for people at a socket.
        package var hasMonitor: Bool

        package init(processors: UInt32? = nil, serial: String?, family: String, hasMonitor: Bool = false) {
            self.processors = processors
            self.serial = serial
            self.family = family
            self.hasMonitor = hasMonitor
        }
    }

    package var accelerator: Accelerator
    /// QEMU's name of the processor; nil: `host` with KVM, else `qemu64`, with which Linux boots fastest. Guests built
    /// for x86-64-v2 or later (Enterprise Linux 9 and 10) need `max` without KVM.
    package var processor: String?
    package var memory: ByteCount
    package var firmware: Firmware
    package var disks: [Disk]
    /// An ISO image for cloud-init.
    package var seed: String?
    package var network: Network
    /// Where the sockets are made.
    package var folder: String
    /// Whether QEMU ends when the guest reboots.
    package var endsAtReboot: Bool
    /// Then there is a second serial port, a reboot is a shutdown, and after a shutdown the machine stays, halted.
    package var installation: Installation?
    /// Then there is a second serial port too, and the end of the power is as it is for installations.
    package var setup: Setup?

    package init(
        accelerator: Accelerator, processor: String? = nil, memory: ByteCount = .gibi(1), firmware: Firmware = .bios,
        disks: [Disk], seed: String? = nil, network: Network = .isolated, folder: String, endsAtReboot: Bool = false,
        installation: Installation? = nil, setup: Setup? = nil
    ) {
        self.accelerator = accelerator
        self.processor = processor
        self.memory = memory
        self.firmware = firmware
        self.disks = disks
        self.seed = seed
        self.network = network
        self.folder = folder
        self.endsAtReboot = endsAtReboot
        self.installation = installation
        self.setup = setup
    }

    /// Whether the guest has a second serial port, and the machine stays, halted, after a shutdown.
    var reports: Bool { installation != nil || setup != nil }

    /// The sockets' names in `folder`.
    static let monitorSocket = "monitor.sock"
    static let serialSocket = "serial.sock"
    static let reportSocket = "report.sock"
    static let displaySocket = "display.sock"
    static let probeSocket = "probe.sock"
    static let peopleSocket = "people.sock"
}
