/// An installation by a distribution's own installer. What it reads is known by digest.
package struct InstallAction: Hashable, Sendable, Codable {
    package enum Medium: Hashable, Sendable, Codable {
        case kernel(Digest, initrd: Digest)
        /// An ISO 9660 image, whose kernel and initrd are taken out of it.
        case image(Digest)
    }

    package struct Answers: Hashable, Sendable, Codable {
        package var kind: AnswerFile.Kind
        /// The file's own name, by which the installer is told of it.
        package var name: String
        package var digest: Digest

        package init(kind: AnswerFile.Kind, name: String, digest: Digest) {
            self.kind = kind
            self.name = name
            self.digest = digest
        }
    }

    package var medium: Medium
    package var answers: [Answers]
    /// Of the kernel's command line, after what the answer files need.
    package var append: String
    package var disk: ByteCount
    package var firmware: DiskLayout.Firmware
    package var memory: ByteCount
    package var processors: UInt32
    package var mac: String?
    package var hypervisor: Netinstall.Hypervisor
    package var network: Netinstall.Network
    /// The local date, `2026-11-21`: mirrors change, so an installation is good for a day.
    package var day: String

    package init(
        medium: Medium, answers: [Answers], append: String, disk: ByteCount, firmware: DiskLayout.Firmware,
        memory: ByteCount, processors: UInt32, mac: String?, hypervisor: Netinstall.Hypervisor,
        network: Netinstall.Network, day: String
    ) {
        self.medium = medium
        self.answers = answers
        self.append = append
        self.disk = disk
        self.firmware = firmware
        self.memory = memory
        self.processors = processors
        self.mac = mac
        self.hypervisor = hypervisor
        self.network = network
        self.day = day
    }
}

/// What an installed disk has to be before it is an image.
package struct SealAction: Hashable, Sendable, Codable {
    package var partitions: Netinstall.PartitionRule

    package init(partitions: Netinstall.PartitionRule) { self.partitions = partitions }
}
