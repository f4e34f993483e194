import SystemPackage

/// Reads and compresses the clusters of a disk that hold data, many at a time, and hands them over in the disk's order.
///
///     source ─▶ threads: read, look for zeroes, compress ─▶ a ring of slots ─▶ the caller's thread, in order
///
/// It takes a cluster of memory for each thread and each slot, and a slot is used again when it was handed over.
final class ClusterPipeline: Sendable {
    /// What became of a cluster. The bytes are there until the next one is handed over.
    enum Content {
        case zeroes
        case compressed(UnsafeRawBufferPointer)
        /// It did not become smaller.
        case plain(UnsafeRawBufferPointer)
    }

    private enum Outcome {
        case zeroes, plain
        case compressed(Int)
    }

    private struct State {
        var clusters: DataClusters
        /// The clusters given to threads, and of these the ones handed over.
        var issued = 0
        var taken = 0
        var isFinished = false
        var failure: (any Error)?
        /// By the cluster's number in the order of the disk, modulo their count.
        var slots: [(cluster: UInt64, outcome: Outcome?)]

        var isStopped: Bool { isFinished || failure != nil }
    }

    /// So many that threads go on while the one with the oldest cluster waits for a busy processor.
    private static func slots(for threads: Int) -> Int { max(64, 4 * threads) }

    private let source: FileDescriptor
    private let size: Int64
    private let clusterSize: Int
    private let compression: ClusterCompression
    private let threads: Int
    // Each slot's memory is used by the thread that has it, or by the caller to whom it is handed over.
    private nonisolated(unsafe) let buffers: [UnsafeMutableRawBufferPointer]
    private let state: Monitor<State>

    init(_ source: FileDescriptor, clusterSize: Int, compression: ClusterCompression, threads: Int) throws {
        self.source = source
        self.clusterSize = clusterSize
        self.compression = compression
        self.threads = threads
        size = try source.logicalSize()
        let clusters = DataClusters(try DataExtents(of: source), clusterSize: Int64(clusterSize))
        let count = Self.slots(for: threads)
        buffers = (0..<count).map { _ in .allocate(byteCount: clusterSize, alignment: 4096) }
        state = Monitor(State(clusters: clusters, slots: Array(repeating: (0, nil), count: count)))
    }

    deinit { for buffer in buffers { buffer.deallocate() } }

    /// Calls `body` on this thread for each cluster that may hold data, in order; what it throws ends the work. To be
    /// called once.
    func forEach(_ body: (_ cluster: UInt64, _ content: Content) throws -> Void) throws {
        try WorkerThreads.with(threads, { self.work() }) {
            defer { state.change { $0.isFinished = true } }
            var number = 0
            while let (cluster, outcome) = try next(number) {
                try Task.checkCancellation()
                let bytes = UnsafeRawBufferPointer(buffers[number % buffers.count])
                switch outcome {
                case .zeroes: try body(cluster, .zeroes)
                case .plain: try body(cluster, .plain(bytes))
                case .compressed(let count):
                    try body(cluster, .compressed(UnsafeRawBufferPointer(rebasing: bytes[..<count])))
                }
                state.change { $0.taken += 1 }
                number += 1
            }
        }
    }

    private func next(_ number: Int) throws -> (UInt64, Outcome)? {
        let slot = number % buffers.count
        return try state.change(
            when: { state in
                state.slots[slot].outcome != nil || state.failure != nil || state.isFinished && state.issued == number
            },
            { state in
                if let failure = state.failure { throw failure }
                guard let outcome = state.slots[slot].outcome else { return nil }
                state.slots[slot].outcome = nil
                return (state.slots[slot].cluster, outcome)
            })
    }

    private func work() {
        withChunk(of: clusterSize) { input in
            while let (slot, cluster) = take() {
                let outcome = Result { try process(cluster, input, buffers[slot]) }
                state.change { state in
                    switch outcome {
                    case .success(let outcome): state.slots[slot].outcome = outcome
                    case .failure(let error): state.failure = state.failure ?? error
                    }
                }
            }
        }
    }

    /// The next cluster to work on and the slot for it; nil if there is none.
    private func take() -> (slot: Int, cluster: UInt64)? {
        state.change(when: { $0.isStopped || $0.issued - $0.taken < $0.slots.count }) { state in
            guard !state.isStopped else { return nil }
            do {
                guard let cluster = try state.clusters.next() else {
                    state.isFinished = true
                    return nil
                }
                let slot = state.issued % state.slots.count
                state.slots[slot].cluster = cluster
                state.issued += 1
                return (slot, cluster)
            } catch {
                state.failure = error
                return nil
            }
        }
    }

    private func process(
        _ cluster: UInt64, _ input: UnsafeMutableRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws -> Outcome {
        let start = Int64(cluster) * Int64(clusterSize)
        let wanted = Int(min(Int64(clusterSize), size - start))
        let part = UnsafeMutableRawBufferPointer(rebasing: input[..<wanted])
        guard try source.readFully(at: start, into: part) == wanted else {
            throw FileAccessError("read", "the file became shorter")
        }
        UnsafeMutableRawBufferPointer(rebasing: input[wanted...]).initializeMemory(as: UInt8.self, repeating: 0)
        let bytes = UnsafeRawBufferPointer(input)
        if ZeroRuns.isZero(bytes) { return .zeroes }
        // One byte less than a cluster: what is as long as before is better not compressed.
        let room = UnsafeMutableRawBufferPointer(rebasing: output.dropLast())
        if let count = try compression.compress(bytes, into: room) { return .compressed(count) }
        output.copyMemory(from: bytes)
        return .plain
    }
}

/// The numbers of the clusters of a file that are not wholly in holes, in order.
struct DataClusters {
    private var extents: DataExtents
    private let clusterSize: Int64
    private var pending: Range<Int64> = 0..<0

    init(_ extents: DataExtents, clusterSize: Int64) {
        self.extents = extents
        self.clusterSize = clusterSize
    }

    mutating func next() throws -> UInt64? {
        while pending.isEmpty {
            guard let extent = try extents.next() else { return nil }
            // Two extents may be in one cluster.
            let first = max(pending.upperBound, extent.lowerBound / clusterSize)
            pending = first..<max(first, (extent.upperBound - 1) / clusterSize + 1)
        }
        let cluster = pending.lowerBound
        pending = cluster + 1..<pending.upperBound
        return UInt64(cluster)
    }
}
