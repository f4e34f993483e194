/// An installation by a distribution's own installer in a virtual machine.
package struct Netinstall: Hashable, Sendable, Codable {
    /// What the virtual machine starts from.
    package enum Medium: Hashable, Sendable, Codable {
        case kernel(Source, initrd: Source)
        /// An installation image, whose kernel and initrd are taken out of it.
        case image(Source)
    }

    package enum Hypervisor: String, Hashable, Sendable, Codable, CaseIterable {
        /// QEMU, started by the program itself.
        case qemu
        /// virt-install and virsh.
        case libvirt
    }

    package enum Network: String, Hashable, Sendable, Codable, CaseIterable {
        /// The guest reaches the program's own package proxy, and nothing else.
        case proxy
        /// The guest reaches whatever the host does.
        case open
    }

    /// Which partitions an installed disk must have.
    package enum PartitionRule: String, Hashable, Sendable, Codable, CaseIterable {
        /// Exactly one with a Linux filesystem; those that only boot the machine do not count.
        case linux
        /// Exactly one.
        case strict
    }

    package var medium: Medium
    /// What is known of the bytes at the medium's locations beside digests, by location.
    package var checksums: [String: Checksum]
    /// At least one; all are given to the installer.
    package var answers: [AnswerFile]
    /// Appended to the kernel's command line, after what the answer files need.
    package var append: String
    /// Of the installing machine, whole MiB.
    package var memory: ByteCount
    package var processors: UInt32
    /// `52:54:00:12:34:56`; nil lets the hypervisor choose.
    package var mac: String?
    /// Nil: no display.
    package var vnc: VNCDisplay?
    package var hypervisor: Hypervisor
    package var network: Network
    package var partitions: PartitionRule
    /// The most seconds for the installation; nil: as long as the accelerator makes it reasonable.
    package var limitSeconds: UInt32?
    /// Whether the installer's logs are shown before they are removed from the image.
    package var showsInstallerLogs: Bool
    /// The file that gets the build's log: absolute, or relative to where the build was asked for. Nil: none.
    package var logFile: String?
    /// Whether the raw disk stays beside a qcow2 file.
    package var keepsRaw: Bool
    /// Run with the image's file name as its argument, after all uploads.
    package var postBuildCommand: String?

    package init(
        medium: Medium, answers: [AnswerFile], append: String = "", memory: ByteCount, processors: UInt32 = 1,
        mac: String? = nil, vnc: VNCDisplay? = nil, hypervisor: Hypervisor = .qemu, network: Network = .proxy,
        partitions: PartitionRule = .linux, limitSeconds: UInt32? = nil, showsInstallerLogs: Bool = false,
        logFile: String? = nil,
        keepsRaw: Bool = false, postBuildCommand: String? = nil, checksums: [String: Checksum] = [:]
    ) {
        self.medium = medium
        self.answers = answers
        self.append = append
        self.memory = memory
        self.processors = processors
        self.mac = mac
        self.vnc = vnc
        self.hypervisor = hypervisor
        self.network = network
        self.partitions = partitions
        self.limitSeconds = limitSeconds
        self.showsInstallerLogs = showsInstallerLogs
        self.logFile = logFile
        self.keepsRaw = keepsRaw
        self.postBuildCommand = postBuildCommand
        self.checksums = checksums
    }
}

/// A file of the host that answers an installer's questions.
package struct AnswerFile: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Of the Debian installer.
        case preseed
        /// Of Anaconda: Fedora and the RHEL family.
        case kickstart
        /// Of YaST: openSUSE and SLES.
        case autoyast
        /// Of Subiquity: Ubuntu 22.04 and later.
        case autoinstall
    }

    package var kind: Kind
    /// Absolute, for reading it.
    package var path: String
    package var digest: Digest
    package var size: ByteCount

    /// The file's own name, by which an installer is told of it.
    package var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    package init(_ kind: Kind, path: String, digest: Digest, size: ByteCount) {
        self.kind = kind
        self.path = path
        self.digest = digest
        self.size = size
    }
}

/// A display of the installing machine that one can look at.
package struct VNCDisplay: Hashable, Sendable, Codable {
    /// Where it listens; nil leaves that to the hypervisor.
    package var host: String?
    /// Its TCP port is 5900 higher.
    package var number: UInt16

    package init(host: String? = nil, number: UInt16) {
        self.host = host
        self.number = number
    }

    package var port: UInt16 { 5900 + number }
}

/// Where a finished image is taken.
package struct UploadDestination: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case rsync
    }

    /// As the configuration calls it.
    package var name: String
    package var kind: Kind
    package var target: String
    /// Given to the uploading program before the files.
    package var arguments: [String]
    /// Each a program and its arguments, in the order in which they run when the upload is done.
    package var commands: [[String]]

    package init(
        name: String, kind: Kind = .rsync, target: String, arguments: [String] = [], commands: [[String]] = []
    ) {
        self.name = name
        self.kind = kind
        self.target = target
        self.arguments = arguments
        self.commands = commands
    }
}
