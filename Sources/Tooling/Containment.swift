package import Model
package import SystemPackage
import Glibc

/// What a contained process may see and use: it runs in user, mount, PID and IPC namespaces of its own, and
/// everything in them ends when this process does, however that comes about.
///
/// Run by root, the contained root is `Containment.hostIdentity` outside, which owns nothing: a writable bind has
/// to be handed over first (`handOver`). The files of root in a read-only bind are readable inside where the file
/// system knows id-mapped mounts (ext4, xfs, btrfs, tmpfs); elsewhere only what everyone may read.
package struct Containment: Sendable, Hashable {
    /// Which ids exist inside.
    package enum Identities: String, Sendable {
        /// Only root, who is the caller. Supplementary groups (kvm) stay in force.
        case caller
        /// Root, who is the caller, and 65536 more: trees with files of any owner. Needs subordinate ids.
        case range
    }

    package enum Network: Sendable, Hashable {
        case host
        /// A loopback interface and nothing else.
        case none
        /// A network in which every IPv4 address is local: names are all 10.0.2.2, and what comes to the ports 80, 443
        /// and 3128 of any address is relayed to the Unix socket at this path inside, which has at most 107 bytes. Each
        /// connection there begins with a line `to tcp ADDRESS PORT`; attempts at anything else are told by a line
        /// `refused tcp|udp ADDRESS PORT`. Needs a work space.
        case relayed(socket: String)
    }

    /// A file or folder of the host at another place inside. Mounts below `source` do not come along.
    package struct Bind: Sendable, Hashable {
        package var source: FilePath
        /// An absolute path. Below /mnt it is made as needed if there is a work space; elsewhere it must exist.
        package var target: String
        package var writable: Bool

        package init(source: FilePath, target: String, writable: Bool = false) {
            self.source = source
            self.target = target
            self.writable = writable
        }
    }

    package struct Limits: Sendable, Hashable {
        package var addressSpace: ByteCount?
        /// Processor time, in whole seconds.
        package var processorTime: Duration?
        package var fileSize: ByteCount?
        /// 0 to 19.
        package var niceness: Int

        package init(
            addressSpace: ByteCount? = nil, processorTime: Duration? = nil, fileSize: ByteCount? = nil,
            niceness: Int = 0
        ) {
            self.addressSpace = addressSpace
            self.processorTime = processorTime
            self.fileSize = fileSize
            self.niceness = niceness
        }
    }

    package var identities: Identities
    package var network: Network
    /// The most that the file system in memory at /mnt takes; nil: there is none, and /mnt is the host's.
    /// With it TMPDIR and HOME are /mnt/tmp.
    package var workSize: ByteCount?
    package var binds: [Bind]
    /// Opened by the caller, on the host. /dev/null if nil.
    package var standardInput: FilePath?
    /// As seen inside; `/` if nil.
    package var workingDirectory: String?
    package var limits: Limits

    package init(
        identities: Identities = .caller, network: Network = .none, workSize: ByteCount? = nil, binds: [Bind] = [],
        standardInput: FilePath? = nil, workingDirectory: String? = nil, limits: Limits = Limits()
    ) {
        self.identities = identities
        self.network = network
        self.workSize = workSize
        self.binds = binds
        self.standardInput = standardInput
        self.workingDirectory = workingDirectory
        self.limits = limits
    }

    /// What follows `image-factory __contain` to run `program` with `arguments`.
    package func arguments(for program: String, _ arguments: [String]) -> [String] {
        var options = ["--ids", identities.rawValue, "--net", network == .host ? "host" : "none"]
        if case .relayed(let socket) = network { options += ["--relay", socket] }
        if let workSize { options += ["--work", "\(workSize.bytes)"] }
        for bind in binds { options += [bind.writable ? "--bind" : "--bind-ro", bind.source.string, bind.target] }
        if let standardInput { options += ["--stdin", standardInput.string] }
        if let workingDirectory { options += ["--chdir", workingDirectory] }
        if let bytes = limits.addressSpace?.bytes { options += ["--limit-as", "\(bytes)"] }
        if let time = limits.processorTime { options += ["--limit-cpu", "\(max(1, time.components.seconds))"] }
        if let bytes = limits.fileSize?.bytes { options += ["--limit-fsize", "\(bytes)"] }
        if limits.niceness != 0 { options += ["--nice", "\(limits.niceness)"] }
        return options + ["--", program] + arguments
    }

    /// The user and group id that the contained root has on the host.
    package static var hostIdentity: UInt32 { geteuid() == 0 ? 1_878_982_656 : geteuid() }

    /// Lets contained processes write to a file or into a folder (not what is in it already): as root it goes to the
    /// contained root; an ordinary user has nothing to hand over.
    package static func handOver(_ path: FilePath) throws {
        guard geteuid() == 0 else { return }
        guard lchown(path.string, hostIdentity, hostIdentity) == 0 else {
            throw FactoryError(.osFailure, "cannot hand \(path) over to contained processes: \(Errno(rawValue: errno))")
        }
    }
}
