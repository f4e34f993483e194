import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// A containment for work of the program itself: /mnt is the only place that differs from the host's view.
struct ContainedWork {
    /// Below this much free memory, trees are kept in the step's scratch folder on disk.
    static let memoryForTrees = ByteCount.gibi(4)

    private(set) var containment: Containment
    /// Where trees are made, inside: in memory where there is enough.
    let trees: String

    /// For work on a tree: with ids of the range. `/mnt/out` is the step's output folder.
    init(_ context: StepContext, network: Containment.Network) throws {
        try Containment.handOver(context.output)
        try Containment.handOver(context.scratch)
        let free = HostMemory.available()
        let inMemory = free >= Self.memoryForTrees
        containment = Containment(
            identities: .range, network: network,
            workSize: inMemory ? ByteCount(free.bytes / 4 * 3) : .mebi(256),
            binds: [Containment.Bind(source: context.output, target: "/mnt/out", writable: true)])
        trees = inMemory ? "/mnt/tmp" : "/mnt/trees"
        if !inMemory { bind(context.scratch, trees, writable: true) }
    }

    /// For work on files without owners of their own: with one id, little memory and no network. `/mnt/out` is the
    /// step's output folder.
    init(onFilesOf context: StepContext) throws {
        try Containment.handOver(context.output)
        containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [Containment.Bind(source: context.output, target: "/mnt/out", writable: true)])
        trees = "/mnt/tmp"
    }

    /// For work on what others wrote.
    mutating func limit(_ limits: Containment.Limits) { containment.limits = limits }

    /// For work on nothing but what is bound, which may be made to do harm: with one id and no network.
    init(within limits: Containment.Limits) {
        containment = Containment(identities: .caller, network: .none, workSize: .mebi(64), limits: limits)
        trees = "/mnt/tmp"
    }

    mutating func bind(_ source: FilePath, _ target: String, writable: Bool = false) {
        containment.binds.append(Containment.Bind(source: source, target: target, writable: writable))
    }

    /// Lets the work read secrets by `SecretFile`; where there are none, there is no file.
    mutating func offer(_ secrets: [SecretValue], in scratch: FilePath) throws {
        guard !secrets.isEmpty else { return }
        bind(try secrets.handOver(in: scratch), SecretFile.path.string, writable: true)
    }
}

/// What the kernel says of the host's memory.
enum HostMemory {
    /// MemAvailable of /proc/meminfo; 0 where it cannot be read.
    static func available() -> ByteCount {
        guard let text = try? WholeFile.text("/proc/meminfo") else { return ByteCount(0) }
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            let number = line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
            return ByteCount.kibi(number ?? 0)
        }
        return ByteCount(0)
    }
}
