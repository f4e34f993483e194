package import Model
package import SystemPackage

/// A disk image that is to be set up by cloud-init and reset, as configure-vm-image does it.
package struct ImageConfigurationRequest: Sendable {
    /// What only the driver for libvirt needs.
    package struct Libvirt: Sendable {
        /// The domain's XML with places for values; nil: the program's own.
        package var template: FilePath?
        package var values: [String: String]
        /// Nil: one that nobody else has.
        package var domainName: String?
        /// For removing the domain, such as `nvram`.
        package var removeOptions: [String]

        package init(
            template: FilePath? = nil, values: [String: String] = [:], domainName: String? = nil,
            removeOptions: [String] = []
        ) {
            self.template = template
            self.values = values
            self.domainName = domainName
            self.removeOptions = removeOptions
        }
    }

    /// Replaced only at the very end, and only where there is no other place for the result.
    package var image: FilePath
    /// Nil: the result takes the image's place.
    package var output: FilePath?
    /// The format that the image is said to have; another one than its header says is refused.
    package var format: ImageFormat?
    /// The files for cloud-init that there are. Without any the image is not booted, unless `bootsWithoutSeed`.
    package var seed: [SeedFile.Kind: FilePath]
    /// Whether the image is booted without any file, so that its own data source sets it up.
    package var bootsWithoutSeed: Bool
    /// Gets a copy of the seed as an ISO 9660 image.
    package var seedOutput: FilePath?
    package var network: CloudSetup.Network
    package var degradation: CloudSetup.Degradation
    package var firmware: BootCheckAction.Firmware
    package var memory: ByteCount
    package var processors: UInt32
    /// QEMU's name of the processor; nil or `host`: the best that the accelerator has.
    package var processor: String?
    package var hypervisor: Netinstall.Hypervisor
    package var libvirt: Libvirt
    /// A socket for QEMU's monitor, for looking in.
    package var monitorSocket: FilePath?
    /// Whether it fails where the socket cannot be made, such as while another machine has it; else that is a warning.
    package var requiresMonitor: Bool
    /// Gets a copy of what the guest writes to its serial console.
    package var log: FilePath?
    /// Nil: nothing is reset.
    package var reset: ResetSelection?
    /// Whether a unit that makes host keys is installed where nothing in the image would.
    package var makesHostKeyUnit: Bool
    /// The most time for a guest; nil: as long as the accelerator makes it reasonable. Where KVM fails and the guest starts
    /// once more without it, it counts anew.
    package var timeout: Duration?
    /// Whether the disk of a guest that failed stays, for looking at it.
    package var keepsFailed: Bool

    package init(
        image: FilePath, output: FilePath? = nil, format: ImageFormat? = nil,
        seed: [SeedFile.Kind: FilePath] = [:], bootsWithoutSeed: Bool = true, seedOutput: FilePath? = nil,
        network: CloudSetup.Network = .proxy, degradation: CloudSetup.Degradation = .warn,
        firmware: BootCheckAction.Firmware = .bios, memory: ByteCount = .gibi(2), processors: UInt32 = 1,
        processor: String? = nil, hypervisor: Netinstall.Hypervisor = .qemu, libvirt: Libvirt = Libvirt(),
        monitorSocket: FilePath? = nil, requiresMonitor: Bool = true, log: FilePath? = nil,
        reset: ResetSelection? = nil, makesHostKeyUnit: Bool = true, timeout: Duration? = nil, keepsFailed: Bool = false
    ) {
        self.image = image
        self.output = output
        self.format = format
        self.seed = seed
        self.bootsWithoutSeed = bootsWithoutSeed
        self.seedOutput = seedOutput
        self.network = network
        self.degradation = degradation
        self.firmware = firmware
        self.memory = memory
        self.processors = processors
        self.processor = processor
        self.hypervisor = hypervisor
        self.libvirt = libvirt
        self.monitorSocket = monitorSocket
        self.requiresMonitor = requiresMonitor
        self.log = log
        self.reset = reset
        self.makesHostKeyUnit = makesHostKeyUnit
        self.timeout = timeout
        self.keepsFailed = keepsFailed
    }
}

/// An image that is configured and in its place.
package struct ConfiguredImage: Hashable, Sendable {
    /// What the guest told of its setup.
    package struct Setup: Hashable, Sendable, Codable {
        /// From the start of the machine to its end.
        package var seconds: Double
        /// cloud-init's own word, such as `done`.
        package var status: String
        package var datasource: String?
        /// What cloud-init could recover from.
        package var recoverableErrors: [String]

        package init(seconds: Double, status: String, datasource: String? = nil, recoverableErrors: [String] = []) {
            self.seconds = seconds
            self.status = status
            self.datasource = datasource
            self.recoverableErrors = recoverableErrors
        }
    }

    /// What an operation of the reset changed.
    package struct Reset: Hashable, Sendable, Codable {
        package var operation: String
        /// Paths in the image.
        package var removed: [String]
        package var emptied: [String]
        package var changed: [String]
        /// Why nothing could be done.
        package var note: String?

        package init(
            operation: String, removed: [String] = [], emptied: [String] = [], changed: [String] = [],
            note: String? = nil
        ) {
            self.operation = operation
            self.removed = removed
            self.emptied = emptied
            self.changed = changed
            self.note = note
        }
    }

    /// Where the result is.
    package var image: FilePath
    package var digest: Digest
    /// Nil: the image was not booted.
    package var setup: Setup?
    package var reset: [Reset]
    /// How many things the rules of sound images found in the result.
    package var findings: Int
    /// The result was there already, of the same image, files and options: nothing was done.
    package var wasUpToDate: Bool

    package init(
        image: FilePath, digest: Digest, setup: Setup? = nil, reset: [Reset] = [], findings: Int = 0,
        wasUpToDate: Bool = false
    ) {
        self.image = image
        self.digest = digest
        self.setup = setup
        self.reset = reset
        self.findings = findings
        self.wasUpToDate = wasUpToDate
    }
}

/// Why an image was not configured, told apart as the exit codes of configure-vm-image do. The image is untouched.
package struct ImageConfigurationFailure: Error, Sendable {
    package enum Reason: Hashable, Sendable {
        /// A file that was asked for is not there.
        case pathNotFound(String)
        /// A file cannot be read, or is not what it is said to be.
        case load(String)
        /// A file or folder cannot be made.
        case create(String)
        /// The seed cannot be made.
        case seed
        /// The guest was not set up; nil where it is known by the message alone.
        case configure(CloudSetupFailure?)
        case reset
        /// A finished disk is not sound.
        case check(String)
        /// A program that is needed is not there.
        case noTool
    }

    package var reason: Reason
    /// One line.
    package var message: String
    /// Further lines for a person: causes, where to look, and what to do.
    package var details: [String]

    package init(_ reason: Reason, _ message: String, details: [String] = []) {
        self.reason = reason
        self.message = message
        self.details = details
    }
}

extension Factory {
    /// Sets an image up by cloud-init in a virtual machine, resets it, and puts it in its place, whole or not at all.
    ///
    /// Throws `ImageConfigurationFailure` or `CancellationError`; then every file is as it was before.
    package func configure(
        _ request: ImageConfigurationRequest, telling notes: ImageNotes
    ) async throws -> ConfiguredImage {
        do {
            return try await ImageConfigurationWork(self, request, notes).run()
        } catch let error as FactoryError {
            throw ImageConfigurationFailure(.create(request.image.string), error)
        }
    }
}
