import Synchronization

/// Work that blocks its thread for long, such as reading a whole image: the concurrency pool has only as many threads as
/// the machine has cores, and whatever else happens in a build needs them.
package enum BlockingWork {
    /// Runs the body on a thread of its own. It is told of the task's cancellation through `isCancelled`.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable (_ checkCancellation: () throws -> Void) throws -> Value
    ) async throws -> Value {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                DetachedThread.start {
                    continuation.resume(
                        with: Result { try body { if flag.isSet { throw CancellationError() } } })
                }
            }
        } onCancel: {
            flag.set()
        }
    }
}

private final class CancellationFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
