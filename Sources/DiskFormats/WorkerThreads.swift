import Glibc

/// Threads for the length of a scope, for work that keeps processors busy: the concurrency pool is for others.
enum WorkerThreads {
    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// One for each processor that is online.
    static var usual: Int { min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 64) }

    /// Runs `work` on at most `count` threads, and `body` on this one, and waits for them all. `body` has to see to it
    /// that `work` ends. Throws if the system gives not one thread.
    static func with<Value>(
        _ count: Int, _ work: @escaping @Sendable () -> Void, _ body: () throws -> Value
    ) throws -> Value {
        var threads: [pthread_t] = []
        defer { for thread in threads { pthread_join(thread, nil) } }
        for _ in 0..<count {
            guard let thread = start(Work(work)) else { break }
            threads.append(thread)
        }
        guard !threads.isEmpty else { throw FileAccessError("start a thread", "the system gives none") }
        return try body()
    }

    private static func start(_ work: Work) -> pthread_t? {
        let argument = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        guard failure != 0 else { return thread }
        argument.release()
        return nil
    }
}

/// A value that one thread at a time sees, and for whose change threads can wait.
///
/// `@unchecked`: the mutex is what makes it safe.
final class Monitor<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Waits until `condition` is true of the value, then changes it and wakes those who wait.
    func change<Result>(
        when condition: (Value) -> Bool = { _ in true }, _ body: (inout Value) throws -> Result
    ) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        while !condition(value) { pthread_cond_wait(changed, mutex) }
        return try body(&value)
    }
}
