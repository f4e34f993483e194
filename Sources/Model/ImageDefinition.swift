/// What an image shall be: the one model that every dialect is lowered to. It holds no positions and no host paths
/// other than those of local input files.
package struct ImageDefinition: Hashable, Sendable, Codable {
    /// Matches `^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$` without `..`; files are called `NAME-VERSION.FORMAT`.
    package var name: String
    /// Of the same form as the name.
    package var version: String
    package var os: OperatingSystem
    package var base: Base
    package var disk: DiskLayout
    package var hostname: String
    package var locale: String
    package var timezone: String
    /// Names of packages of the distribution, in the order given.
    package var packages: [String]
    /// Package sources of the image; nil means the distribution's public ones.
    package var aptSources: [AptSource]?
    package var files: [FileChange]
    package var commands: [CommandChange]
    package var users: [UserAccount]
    package var cloudInit: CloudInit
    /// Appended to the kernel's command line, after the consoles.
    package var kernelArguments: [String]
    package var outputs: [Output]
    package var bootCheck: BootCheck
    /// Nil: nothing is signed.
    package var signing: Signing?
    package var verify: VerifySettings
    package var secrets: [SecretDeclaration]
    /// Where the finished image is taken, in the order in which that is done.
    package var uploads: [UploadDestination]

    package init(
        name: String, version: String, os: OperatingSystem, base: Base = .bootstrap(Bootstrap()),
        disk: DiskLayout = DiskLayout(), hostname: String = "localhost", locale: String = "C.UTF-8",
        timezone: String = "Etc/UTC", packages: [String] = [], aptSources: [AptSource]? = nil,
        files: [FileChange] = [], commands: [CommandChange] = [], users: [UserAccount] = [],
        cloudInit: CloudInit = CloudInit(), kernelArguments: [String] = [], outputs: [Output] = [Output(.qcow2)],
        bootCheck: BootCheck = BootCheck(), verify: VerifySettings = VerifySettings(),
        secrets: [SecretDeclaration] = [], signing: Signing? = nil, uploads: [UploadDestination] = []
    ) {
        self.name = name
        self.version = version
        self.os = os
        self.base = base
        self.disk = disk
        self.hostname = hostname
        self.locale = locale
        self.timezone = timezone
        self.packages = packages
        self.aptSources = aptSources
        self.files = files
        self.commands = commands
        self.users = users
        self.cloudInit = cloudInit
        self.kernelArguments = kernelArguments
        self.outputs = outputs
        self.bootCheck = bootCheck
        self.signing = signing
        self.verify = verify
        self.secrets = secrets
        self.uploads = uploads
    }
}

package struct OperatingSystem: Hashable, Sendable, Codable {
    /// In lower case: `debian`, `ubuntu`.
    package var distribution: String
    /// The suite's code name: `trixie`. A dialect accepts the number too (`13`) and lowers it to the code name.
    package var release: String
    package var architecture: Architecture

    package init(distribution: String, release: String, architecture: Architecture = .amd64) {
        self.distribution = distribution
        self.release = release
        self.architecture = architecture
    }
}

package enum Architecture: String, Hashable, Sendable, Codable, CaseIterable {
    case amd64
}

/// Where the image's first tree comes from.
package enum Base: Hashable, Sendable, Codable {
    case bootstrap(Bootstrap)
    case netinstall(Netinstall)
    case image(ImageBase)
}

/// A tree installed from packages into an empty folder.
package struct Bootstrap: Hashable, Sendable, Codable {
    /// The archive to download from, for building only; nil means the host's own one, else the default.
    package var mirror: String?
    /// The same for the security archive.
    package var securityMirror: String?
    package var components: [String]
    /// A keyring file that replaces the distribution's keyring package.
    package var keyring: String?

    package init(
        mirror: String? = nil, securityMirror: String? = nil, components: [String] = ["main"], keyring: String? = nil
    ) {
        self.mirror = mirror
        self.securityMirror = securityMirror
        self.components = components
        self.keyring = keyring
    }
}

package struct DiskLayout: Hashable, Sendable, Codable {
    package enum Size: Hashable, Sendable, Codable {
        /// What the tree needs plus this much free space.
        case automatic(margin: ByteCount)
        case fixed(ByteCount)
    }

    package enum Table: String, Hashable, Sendable, Codable, CaseIterable {
        case gpt
        case mbr
    }

    package enum Firmware: String, Hashable, Sendable, Codable, CaseIterable {
        case bios
        case uefi
        case both
    }

    package var size: Size
    package var table: Table
    package var firmware: Firmware

    package init(
        size: Size = .automatic(margin: .mebi(256)), table: Table = .gpt, firmware: Firmware = .both
    ) {
        self.size = size
        self.table = table
        self.firmware = firmware
    }
}

/// A source of packages as the image itself has it (deb822, sources.list(5)).
package struct AptSource: Hashable, Sendable, Codable {
    /// The name of the file in /etc/apt/sources.list.d, without `.sources`.
    package var name: String
    package var uris: [String]
    package var suites: [String]
    package var components: [String]
    /// An armored OpenPGP key, inline, or a path inside the image of a keyring that a package brings.
    package var signedBy: String

    package init(name: String, uris: [String], suites: [String], components: [String], signedBy: String) {
        self.name = name
        self.uris = uris
        self.suites = suites
        self.components = components
        self.signedBy = signedBy
    }
}

/// A file that the image shall have.
package struct FileChange: Hashable, Sendable, Codable {
    package enum Content: Hashable, Sendable, Codable {
        case inline(String)
        /// A file of the host: its absolute path, for reading it, and the digest and size of what it held.
        case local(path: String, digest: Digest, size: ByteCount)
    }

    /// Absolute, inside the image.
    package var path: String
    package var content: Content
    /// User and group by name or number.
    package var owner: String
    package var group: String
    /// Permission bits, 0 to 0o7777.
    package var mode: UInt16

    package init(path: String, content: Content, owner: String = "root", group: String = "root", mode: UInt16 = 0o644) {
        self.path = path
        self.content = content
        self.owner = owner
        self.group = group
        self.mode = mode
    }
}

/// A shell command to run in the tree while it is built, or once in the instance.
package struct CommandChange: Hashable, Sendable, Codable {
    package enum Moment: String, Hashable, Sendable, Codable, CaseIterable {
        /// In the tree, without network, with /bin/sh -e.
        case build
        /// At an instance's first boot, after the network is up.
        case firstBoot = "first-boot"
    }

    package var run: String
    package var moment: Moment

    package init(run: String, moment: Moment = .build) {
        self.run = run
        self.moment = moment
    }
}

package struct UserAccount: Hashable, Sendable, Codable {
    package var name: String
    /// Nil lets the system choose.
    package var uid: UInt32?
    package var comment: String
    package var groups: [String]
    package var shell: String
    /// Lines of authorized_keys.
    package var sshKeys: [String]
    /// Rules for sudoers, each what follows the user's name: `ALL=(ALL) NOPASSWD:ALL`.
    package var sudo: [String]
    /// A crypt(3) hash; nil locks the password.
    package var passwordHash: String?

    package init(
        name: String, uid: UInt32? = nil, comment: String = "", groups: [String] = [], shell: String = "/bin/bash",
        sshKeys: [String] = [], sudo: [String] = [], passwordHash: String? = nil
    ) {
        self.name = name
        self.uid = uid
        self.comment = comment
        self.groups = groups
        self.shell = shell
        self.sshKeys = sshKeys
        self.sudo = sudo
        self.passwordHash = passwordHash
    }
}

package struct CloudInit: Hashable, Sendable, Codable {
    /// Where cloud-init looks, in this order; nil leaves the package's own list.
    package var dataSources: [String]?

    package init(dataSources: [String]? = nil) { self.dataSources = dataSources }
}

/// One file that a build makes.
package struct Output: Hashable, Sendable, Codable {
    package enum Format: String, Hashable, Sendable, Codable, CaseIterable {
        case raw
        case qcow2
        case vmdk
        case vhd
        case vhdx
        case vdi
        case tar
        case tarZstd = "tar.zst"

        /// Nil for what is no disk.
        package var image: ImageFormat? { ImageFormat(rawValue: rawValue) }
    }

    package enum Compression: String, Hashable, Sendable, Codable, CaseIterable {
        case zstd
        case zlib
        /// For programs that read no other.
        case uncompressed = "none"
    }

    package var format: Format
    /// Of qcow2 only.
    package var compression: Compression

    package init(_ format: Format, compression: Compression = .zstd) {
        self.format = format
        self.compression = compression
    }

    /// The file name of the artifact.
    package func fileName(of definition: ImageDefinition) -> String {
        "\(definition.name)-\(definition.version).\(format.rawValue)"
    }
}

/// Whether and how long a finished image is booted to prove it.
package struct BootCheck: Hashable, Sendable, Codable {
    package var enabled: Bool
    /// The most time for one boot, in seconds.
    package var limitSeconds: UInt32

    package init(enabled: Bool = true, limitSeconds: UInt32 = 600) {
        self.enabled = enabled
        self.limitSeconds = limitSeconds
    }
}

/// How what is published is signed. The paths are of the host and no part of what an image is.
package struct Signing: Hashable, Sendable, Codable {
    /// A secret key of minisign.
    package var key: String
    /// A file that has the key's password in its first line; nil for a key without one.
    package var passwordFile: String?

    package init(key: String, passwordFile: String? = nil) {
        self.key = key
        self.passwordFile = passwordFile
    }
}
