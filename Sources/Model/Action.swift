/// What a step does: a closed set, so that the compiler lists what to extend. Every value here is part of the step's
/// identity: mirrors, host paths, limits and display text have no place in it.
package enum Action: Hashable, Sendable, Codable {
    /// Installs packages into an empty folder. Result: `tree.tar`.
    case bootstrap(BootstrapAction)
    /// Lets a distribution's installer install onto an empty disk, and removes its traces and free space. Results: `disk.raw`,
    /// `install.json`, `installer.log`, `seal.json`, `installer-logs.txt`.
    case install(InstallAction)
    /// Brings a disk image into another format and size, or makes an empty disk. Results: `disk.FORMAT`, `digest.json`.
    case importImage(ImportAction)
    /// Accepts an installed disk by the rule for partitions. Input: `disk`. Results: `disk.raw`, `seal.json`,
    /// `installer-logs.txt`.
    case seal(SealAction)
    /// Boots a disk once with a seed for cloud-init, and keeps what that made of it. Input: `disk`. Results: `disk.raw`,
    /// `cloud-init.json`, `serial.log`.
    case cloudSetup(CloudSetupAction)
    /// Takes from a disk what belongs to one instance. Input: `disk`. Results: `disk.raw`, `reset.json`.
    case reset(ResetAction)
    /// Changes a tree as the definition says. Input: `tree`. Results: `tree.tar`, `packages.json`.
    case configure(ConfigureAction)
    /// Removes from a tree what no image may have of its build. Input: `tree`. Result: `tree.tar`.
    case clean(CleanAction)
    /// Makes a disk of a tree. Input: `tree`. Results: `disk.raw`, `layout.json`.
    case assemble(AssembleAction)
    /// Applies the rules of sound images to a disk. Input: `disk`. Result: `verify.json`.
    case verify(VerifyPolicy)
    /// Writes a disk as a qcow2 file. Input: `disk`. Results: `disk.qcow2`, `digest.json`.
    case convert(Output)
    /// Writes a disk in a format that `convert` does not know. Input: `disk`. Results: `disk.FORMAT`, `digest.json`.
    case export(ImageFormat)
    /// Compresses a tree. Input: `tree`. Result: `tree.tar.zst`.
    case pack
    /// SHA-256 over a file. Input: `file`. Result: `digest.json`.
    case digest
    /// Boots a disk on a throw-away overlay. Inputs: `disk`, `digest`. Result: `boot.json`.
    case bootCheck(BootCheckAction)
}

/// One suite of an archive, fixed by the digest of its signed index.
package struct SuiteRelease: Hashable, Sendable, Codable {
    /// `main` or `security`: which of the distribution's archives.
    package var archive: String
    package var suite: String
    /// Of the suite's InRelease file.
    package var inRelease: Digest
    /// The Date field of the InRelease file, in seconds since 1970.
    package var date: UInt64

    package init(archive: String, suite: String, inRelease: Digest, date: UInt64) {
        self.archive = archive
        self.suite = suite
        self.inRelease = inRelease
        self.date = date
    }
}

package struct BootstrapAction: Hashable, Sendable, Codable {
    package var distribution: String
    package var suite: String
    package var architecture: Architecture
    package var components: [String]
    package var releases: [SuiteRelease]
    /// Those asked for, sorted.
    package var packages: [String]
    /// Of the `PackageLock`, which says what is installed.
    package var lock: Digest
    /// The time of what maintainer scripts write, in seconds since 1970.
    package var epoch: UInt64

    package init(
        distribution: String, suite: String, architecture: Architecture, components: [String],
        releases: [SuiteRelease], packages: [String], lock: Digest, epoch: UInt64
    ) {
        self.distribution = distribution
        self.suite = suite
        self.architecture = architecture
        self.components = components
        self.releases = releases
        self.packages = packages
        self.lock = lock
        self.epoch = epoch
    }
}

package struct ConfigureAction: Hashable, Sendable, Codable {
    /// A file of the tree: its content is inline, or that of a local file known by its digest.
    package struct File: Hashable, Sendable, Codable {
        package var path: String
        package var inline: String?
        package var local: Digest?
        package var owner: String
        package var group: String
        package var mode: UInt16

        package init(path: String, inline: String?, local: Digest?, owner: String, group: String, mode: UInt16) {
            self.path = path
            self.inline = inline
            self.local = local
            self.owner = owner
            self.group = group
            self.mode = mode
        }
    }

    package var hostname: String
    package var locale: String
    package var timezone: String
    package var sources: [AptSource]
    package var files: [File]
    package var commands: [CommandChange]
    package var users: [UserAccount]
    package var dataSources: [String]?
    package var kernelArguments: [String]
    /// Names of secrets that commands may read; their values are no part of any plan.
    package var secrets: [String]
    /// The time that the tree's files get at the most, in seconds since 1970.
    package var epoch: UInt64

    package init(
        hostname: String, locale: String, timezone: String, sources: [AptSource], files: [File],
        commands: [CommandChange], users: [UserAccount], dataSources: [String]?, kernelArguments: [String],
        secrets: [String], epoch: UInt64
    ) {
        self.hostname = hostname
        self.locale = locale
        self.timezone = timezone
        self.sources = sources
        self.files = files
        self.commands = commands
        self.users = users
        self.dataSources = dataSources
        self.kernelArguments = kernelArguments
        self.secrets = secrets
        self.epoch = epoch
    }
}

/// What belongs to the machine that built a tree, or to one instance and not to all, is removed from it.
package struct CleanAction: Hashable, Sendable, Codable {
    /// Raised when other things are removed than before: then results of this step are made again, and those of
    /// earlier steps are not.
    package static let current = 1

    package var revision: Int
    /// Names of secrets that commands may have read, for which the cleaned tree is searched.
    package var secrets: [String]
    /// The time that the tree's files get at the most, in seconds since 1970.
    package var epoch: UInt64

    package init(revision: Int = current, secrets: [String], epoch: UInt64) {
        self.revision = revision
        self.secrets = secrets
        self.epoch = epoch
    }
}

package struct AssembleAction: Hashable, Sendable, Codable {
    package var layout: DiskLayout
    package var kernelArguments: [String]
    package var epoch: UInt64

    package init(layout: DiskLayout, kernelArguments: [String], epoch: UInt64) {
        self.layout = layout
        self.kernelArguments = kernelArguments
        self.epoch = epoch
    }
}

package struct BootCheckAction: Hashable, Sendable, Codable {
    package enum Firmware: String, Hashable, Sendable, Codable {
        case bios
        case uefi
    }

    package var firmware: Firmware
    package var format: Output.Format

    package init(firmware: Firmware, format: Output.Format) {
        self.firmware = firmware
        self.format = format
    }
}
