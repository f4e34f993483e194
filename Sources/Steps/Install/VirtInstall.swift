import Synchronization
import Tooling

/// virt-install at work. It is let end by itself, by switching off its machine: a request that it has sent is carried out by
/// libvirt even when it is gone, half a minute later on a busy host, and would define the machine behind our back.
struct VirtInstall {
    let command: Command
    let domain: LibvirtDomain
    let runner: any CommandRunning
    /// How long it may take to end once its machine is off.
    let grace: Duration

    struct Ended {
        /// What `watch` threw.
        var failure: (any Error)?
        /// Whether no request of it can be under way.
        var isOver: Bool
    }

    /// - Parameters:
    ///   - watch: returns or throws when it has seen enough. A cancellation comes to it as the value of `Cancelled`.
    ///   - atFailure: is called before the machine is switched off.
    /// - Throws: what kept it from being started.
    func run(
        onLine: @escaping LineHandler,
        watch: @escaping @Sendable (ExitWatch, Cancelled) async throws -> Void,
        atFailure: @escaping @Sendable (any Error) async -> Void
    ) async throws -> Ended {
        let cancelled = Cancelled()
        // In a task of its own, since cancelling the runner's task ends the program.
        let work = Task.detached {
            try await runner.withRunning(command, onLine: onLine) { process in
                let exit = ExitWatch(process)
                do {
                    try await watch(exit, cancelled)
                    return Ended(failure: nil, isOver: true)
                } catch {
                    await atFailure(error)
                    return Ended(failure: error, isOver: try await end(exit))
                }
            }
        }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            cancelled.set()
        }
    }

    /// The machine may come into being only now.
    private func end(_ exit: ExitWatch) async throws -> Bool {
        let deadline = ContinuousClock.now + grace
        while exit.isRunning, ContinuousClock.now < deadline {
            _ = try? await runner.run(domain.virsh("destroy", domain.name))
            _ = try await exit.wait(for: .seconds(1))
        }
        return !exit.isRunning
    }

    final class Cancelled: Sendable {
        private let isSet = Atomic(false)

        fileprivate func set() { isSet.store(true, ordering: .relaxed) }

        func check() throws {
            if isSet.load(ordering: .relaxed) { throw CancellationError() }
        }
    }
}
