/// One boot of an image with cloud-init inside, which changes it as a seed says: what configure-vm-image does, and
/// `cloud_init:` of a definition.
package struct CloudSetup: Hashable, Sendable, Codable {
    /// What the guest reaches while it is set up.
    package enum Network: String, Hashable, Sendable, Codable, CaseIterable {
        /// The program's own package proxy, and nothing else.
        case proxy
        /// Whatever the host does.
        case open
        case none
    }

    /// What is done with a guest whose cloud-init was degraded: it had recoverable errors.
    package enum Degradation: String, Hashable, Sendable, Codable, CaseIterable {
        case warn
        case fail
    }

    /// Of the seed, in the order of their names. Without any of them there is no seed, and the image's own data source counts.
    package var files: [SeedFile]
    package var network: Network
    package var degradation: Degradation
    package var firmware: BootCheckAction.Firmware
    /// Of the machine, whole MiB.
    package var memory: ByteCount
    package var processors: UInt32
    /// QEMU's name of the processor; nil or `host`: the best that the accelerator has.
    package var processor: String?
    package var hypervisor: Netinstall.Hypervisor

    package init(
        files: [SeedFile], network: Network = .proxy, degradation: Degradation = .warn,
        firmware: BootCheckAction.Firmware = .bios, memory: ByteCount = .gibi(2), processors: UInt32 = 1,
        processor: String? = nil, hypervisor: Netinstall.Hypervisor = .qemu
    ) {
        self.files = files.sorted { $0.kind.rawValue < $1.kind.rawValue }
        self.network = network
        self.degradation = degradation
        self.firmware = firmware
        self.memory = memory
        self.processors = processors
        self.processor = processor
        self.hypervisor = hypervisor
    }
}

/// A file of the host for cloud-init. It may hold secrets.
package struct SeedFile: Hashable, Sendable, Codable {
    /// The name that cloud-init looks for (NoCloud), whatever the file is called on the host.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
        case metaData = "meta-data"
        case networkConfig = "network-config"
        case userData = "user-data"
        case vendorData = "vendor-data"
    }

    package var kind: Kind
    /// Absolute, for reading it.
    package var path: String
    package var digest: Digest
    package var size: ByteCount

    package init(_ kind: Kind, path: String, digest: Digest, size: ByteCount) {
        self.kind = kind
        self.path = path
        self.digest = digest
        self.size = size
    }
}

/// A `CloudSetup` as a step does it: files are known by digest.
package struct CloudSetupAction: Hashable, Sendable, Codable {
    package var files: [SeedFile.Kind: Digest]
    package var network: CloudSetup.Network
    package var degradation: CloudSetup.Degradation
    package var firmware: BootCheckAction.Firmware
    package var memory: ByteCount
    package var processors: UInt32
    package var processor: String?
    package var hypervisor: Netinstall.Hypervisor
    /// Of guests whose root the host cannot edit: done inside before the shutdown. Nil: nothing is reset there.
    package var reset: ResetSelection?

    package init(_ setup: CloudSetup, reset: ResetSelection?) {
        files = Dictionary(setup.files.map { ($0.kind, $0.digest) }) { first, _ in first }
        network = setup.network
        degradation = setup.degradation
        firmware = setup.firmware
        memory = setup.memory
        processors = setup.processors
        processor = setup.processor
        hypervisor = setup.hypervisor
        self.reset = reset
    }
}

/// Takes from a disk what belongs to one instance, so that it can be cloned.
package struct ResetAction: Hashable, Sendable, Codable {
    package var operations: ResetSelection
    /// Whether a unit that makes host keys is installed where nothing in the image would; otherwise that is refused.
    package var makesHostKeyUnit: Bool

    package init(_ operations: ResetSelection, makesHostKeyUnit: Bool) {
        self.operations = operations
        self.makesHostKeyUnit = makesHostKeyUnit
    }
}

/// Why a guest was not set up by cloud-init.
package enum CloudSetupFailure: String, Hashable, Sendable, Codable, CaseIterable {
    case timeout
    case noDatasource = "no-datasource"
    /// There is no cloud-init in the guest, or it is switched off.
    case noCloudInit = "no-cloud-init"
    case cloudInitError = "cloud-init-error"
    case cloudInitDegraded = "cloud-init-degraded"
    case guestPanic = "guest-panic"
    case guestReset = "guest-reset"
    /// The firmware, the boot loader or the initramfs did not get to the system.
    case bootFailed = "boot-failed"
    case earlyPowerOff = "early-poweroff"
    /// The guest said that it is done, and did not switch itself off.
    case noShutdown = "no-shutdown"
    case diskFull = "disk-full"
    case machineDied = "vm-died"

    /// What the message of an error begins with: `timeout: …`. Nil for errors of other kinds.
    package init?(_ error: FactoryError) {
        guard let word = error.message.split(separator: ":", maxSplits: 1).first, error.message.contains(": ") else {
            return nil
        }
        self.init(rawValue: String(word))
    }
}
