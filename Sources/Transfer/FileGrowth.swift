import SystemPackage

/// Tells how far a file has grown while another program writes it.
enum FileGrowth {
    private static let interval = Duration.milliseconds(200)

    static func report<Value: Sendable>(
        _ file: FilePath, to report: TransferReport, total: @escaping @Sendable () -> UInt64?,
        during body: () async throws -> Value
    ) async throws -> Value {
        let watch = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                if let size = LocalFile.size(file), size > 0 { report.progress(size, total()) }
            }
        }
        defer { watch.cancel() }
        let value = try await body()
        watch.cancel()
        _ = await watch.result
        if let size = LocalFile.size(file) { report.progress(size, total()) }
        return value
    }
}
