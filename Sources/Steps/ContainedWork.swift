import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// A containment for work on a tree: ids of the range, /mnt as the only place that differs from the host's view.
struct ContainedWork {
    /// Below this much free memory, trees are kept in the step's scratch folder on disk.
    static let memoryForTrees = ByteCount.gibi(4)

    private(set) var containment: Containment
    /// Where trees are made, inside: in memory where there is enough.
    let trees: String

    /// `/mnt/out` is the step's output folder.
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

    mutating func bind(_ source: FilePath, _ target: String, writable: Bool = false) {
        containment.binds.append(Containment.Bind(source: source, target: target, writable: writable))
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
