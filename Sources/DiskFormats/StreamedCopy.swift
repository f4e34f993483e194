import SystemPackage

/// Copies pieces of a file to places of another one, with reading, looking at the bytes and writing going on at once.
///
///     source ─▶ threads: read ─▶ a ring of chunks ─┬─▶ the caller's thread: writes, in order
///                                                  └─▶ one thread at a time: inspects, in order
///
/// It takes 32 MiB of memory and two threads, whatever the sizes are. The data is read and written past the page cache.
final class StreamedCopy: Sendable {
    /// What becomes `count` bytes of the target: those behind the source's range are zeroes.
    struct Piece: Hashable, Sendable {
        let source: Range<Int64>
        let target: Int64
        let count: Int64

        init(_ source: Range<Int64>, to target: Int64, count: Int64? = nil) {
            self.source = source
            self.target = target
            self.count = count ?? Int64(source.count)
        }
    }

    enum Zeroes: Hashable, Sendable {
        case write
        /// Blocks of this size that are all zero stay what the target has there.
        case leaveOut(block: Int)
        /// A block that is all zero ends the work with `FoundZeroes`.
        case refuse(block: Int)
    }

    /// There is a block of zeroes where none was expected.
    struct FoundZeroes: Error {}

    /// Pieces that are next to each other in the target.
    private struct Chunk {
        var target: Int64
        var count: Int
        var pieces: [Piece]
    }

    private enum Work { case read(Int), inspect(Int) }

    private struct State {
        /// The chunks given to threads for reading, and of these the ones inspected and written.
        var issued = 0
        var inspected = 0
        var written = 0
        var isInspecting = false
        var isFinished = false
        var failure: (any Error)?
        /// By slot: the number of the chunk that is in it.
        var filled: [Int?]

        var isStopped: Bool { isFinished || failure != nil }
    }

    private static let chunkSize = 4 << 20
    private static let slots = 8
    private static let threads = 2

    private let chunks: [Chunk]
    private let zeroes: Zeroes
    private let inspect: (@Sendable (UnsafeRawBufferPointer) -> Void)?
    // Each slot's memory is written by the thread that reads into it, and only read once it is filled.
    private nonisolated(unsafe) let buffers: [UnsafeMutableRawBufferPointer]
    private let state: Monitor<State>

    /// - Parameters:
    ///   - pieces: in the order in which they are to be written; they do not overlap in the target.
    ///   - inspect: is called with all bytes of the pieces, in order, by one thread at a time.
    init(_ pieces: [Piece], zeroes: Zeroes, inspect: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil) {
        chunks = Self.chunks(of: pieces)
        self.zeroes = zeroes
        self.inspect = inspect
        let count = min(Self.slots, max(1, chunks.count))
        let size = chunks.map(\.count).max() ?? 0
        buffers = (0..<count).map { _ in .allocate(byteCount: size, alignment: 4096) }
        state = Monitor(State(filled: Array(repeating: nil, count: count)))
    }

    deinit { for buffer in buffers { buffer.deallocate() } }

    /// Copies. `step` is called on this thread behind each chunk with the place in the source up to which it is done. To be
    /// called once. Throws `FileAccessError`, `FoundZeroes`, `CancellationError` or what `step` throws.
    func run(from source: FileDescriptor, to target: FileDescriptor, step: (Int64) throws -> Void) throws {
        guard !chunks.isEmpty else { return }
        try OneTimeSource.with(source) { source in
            try WorkerThreads.with(Self.threads, { self.work(source) }) {
                defer { state.change { $0.isFinished = true } }
                try OneTimeTarget.with(target) { target in
                    for number in chunks.indices {
                        try wait { $0.filled[number % $0.filled.count] == number }
                        try Task.checkCancellation()
                        try write(number, to: &target)
                        state.change { $0.written += 1 }
                        if let last = chunks[number].pieces.last { try step(last.source.upperBound) }
                    }
                }
                if inspect != nil { try wait { $0.inspected == chunks.count } }
            }
        }
    }

    private func wait(until condition: (State) -> Bool) throws {
        try state.change(when: { $0.failure != nil || condition($0) }) { if let failure = $0.failure { throw failure } }
    }

    private func write(_ number: Int, to target: inout OneTimeTarget) throws {
        let chunk = chunks[number]
        let bytes = content(number)
        guard case .leaveOut(let block) = zeroes else { return try target.write(at: chunk.target, bytes) }
        try ZeroRuns.forEach(in: bytes, at: chunk.target, block: block) { run, zero in
            guard !zero else { return }
            try target.write(
                at: chunk.target + Int64(run.lowerBound), UnsafeRawBufferPointer(rebasing: bytes[run]))
        }
    }

    private func content(_ number: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffers[number % buffers.count][..<chunks[number].count])
    }

    // MARK: - Threads

    private func work(_ source: OneTimeSource) {
        while let next = take() {
            switch next {
            case .inspect(let number):
                inspect?(content(number))
                state.change { state in
                    state.inspected += 1
                    state.isInspecting = false
                }
            case .read(let number):
                let outcome = Result { try read(number, from: source) }
                state.change { state in
                    switch outcome {
                    case .success: state.filled[number % state.filled.count] = number
                    case .failure(let error): state.failure = state.failure ?? error
                    }
                }
            }
        }
    }

    /// What to do next; nil if nothing is left. Inspection comes first, since it is done in order.
    private func take() -> Work? {
        state.change(when: { $0.isStopped || next($0) != nil || isDone($0) }) { state in
            guard !state.isStopped, let work = next(state) else { return nil }
            switch work {
            case .read: state.issued += 1
            case .inspect: state.isInspecting = true
            }
            return work
        }
    }

    private func next(_ state: State) -> Work? {
        let slots = state.filled.count
        if inspect != nil, !state.isInspecting, state.inspected < chunks.count,
            state.filled[state.inspected % slots] == state.inspected
        {
            return .inspect(state.inspected)
        }
        let free = inspect == nil ? state.written : min(state.written, state.inspected)
        return state.issued < chunks.count && state.issued - free < slots ? .read(state.issued) : nil
    }

    private func isDone(_ state: State) -> Bool {
        state.issued == chunks.count && (inspect == nil || state.inspected == chunks.count)
    }

    private func read(_ number: Int, from source: OneTimeSource) throws {
        let chunk = chunks[number]
        let buffer = UnsafeMutableRawBufferPointer(rebasing: buffers[number % buffers.count][..<chunk.count])
        var at = 0
        // Pieces that are next to each other in the source too are read at once.
        var pending: Range<Int64>?
        func readPending() throws {
            guard let range = pending else { return }
            let count = range.count
            try source.read(
                at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: buffer[at..<at + count]))
            at += count
            pending = nil
        }
        for piece in chunk.pieces {
            if let range = pending, range.upperBound == piece.source.lowerBound {
                pending = range.lowerBound..<piece.source.upperBound
            } else {
                try readPending()
                pending = piece.source
            }
            guard piece.count > piece.source.count else { continue }
            try readPending()
            let gap = Int(piece.count) - piece.source.count
            UnsafeMutableRawBufferPointer(rebasing: buffer[at..<at + gap]).initializeMemory(
                as: UInt8.self, repeating: 0)
            at += gap
        }
        try readPending()
        guard case .refuse(let block) = zeroes else { return }
        try ZeroRuns.forEach(in: UnsafeRawBufferPointer(buffer), at: chunk.target, block: block) { _, zero in
            if zero { throw FoundZeroes() }
        }
    }

    // MARK: - Chunks

    /// Cuts pieces where the target has a multiple of the chunks' size, and joins what is in one such window.
    private static func chunks(of pieces: [Piece]) -> [Chunk] {
        var chunks: [Chunk] = []
        let size = Int64(chunkSize)
        for whole in pieces where whole.count > 0 {
            var done: Int64 = 0
            while done < whole.count {
                let target = whole.target + done
                let count = min(whole.count - done, size - target % size)
                let start = min(whole.source.lowerBound + done, whole.source.upperBound)
                let piece = Piece(start..<min(start + count, whole.source.upperBound), to: target, count: count)
                if let last = chunks.last, last.target + Int64(last.count) == target, target % size != 0 {
                    chunks[chunks.count - 1].count += Int(count)
                    chunks[chunks.count - 1].pieces.append(piece)
                } else {
                    chunks.append(Chunk(target: target, count: Int(count), pieces: [piece]))
                }
                done += count
            }
        }
        return chunks
    }
}
