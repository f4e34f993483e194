import Glibc

/// Threads for system calls that block.
package enum DetachedThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs the body on a thread of its own that nobody waits for.
    package static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run: run))
        let problem = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard problem == 0 else {
            body.release()
            return run()
        }
        pthread_detach(thread)
    }
}
