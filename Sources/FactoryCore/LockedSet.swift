import Synchronization

/// A set that several threads add to.
final class LockedSet: Sendable {
    private let kept = Mutex<Set<String>>([])

    func insert(_ name: String) { kept.withLock { _ = $0.insert(name) } }

    var all: Set<String> { kept.withLock { $0 } }
}
