extension QMPClient {
    /// Whether and why the machine runs.
    package struct RunState: Hashable, Sendable {
        package var isRunning: Bool
        /// QEMU's word: `running`, `paused`, `shutdown`, `internal-error`, `guest-panicked`, `io-error` …
        package var status: String
    }

    /// What went through one block device since the machine started.
    package struct BlockStatistics: Hashable, Sendable {
        /// The node's name where it has one, else the device's.
        package var name: String
        package var readBytes: Int64
        package var writtenBytes: Int64
        package var operations: Int64
    }

    package func runState() async throws -> RunState {
        let value = try await execute("query-status")
        guard let isRunning = value["running"]?.bool, let status = value["status"]?.string else {
            throw QMPError.malformed("a reply to query-status without status")
        }
        return RunState(isRunning: isRunning, status: status)
    }

    /// Ends QEMU at once. It may be gone before it replies, which is no error.
    package func quit() async throws {
        do {
            _ = try await execute("quit")
        } catch QMPError.closed {}
    }

    /// Presses the power button; what follows is the guest's business.
    package func powerDown() async throws { _ = try await execute("system_powerdown") }

    /// Halts the processors.
    package func stop() async throws { _ = try await execute("stop") }

    /// Lets the processors run.
    package func resume() async throws { _ = try await execute("cont") }

    /// Writes a picture of the screen to a file that QEMU can create: PNG, which QEMU has since 7.1.
    package func screenshot(to path: String) async throws {
        _ = try await execute("screendump", ["filename": .string(path), "format": "png"])
    }

    package func blockStatistics() async throws -> [BlockStatistics] {
        let value = try await execute("query-blockstats")
        guard let devices = value.array else { throw QMPError.malformed("a reply to query-blockstats without devices") }
        return devices.map { device in
            let stats = device["stats"]
            let counters = ["rd_operations", "wr_operations", "flush_operations", "unmap_operations"]
            return BlockStatistics(
                name: device["node-name"]?.string ?? device["device"]?.string ?? "",
                readBytes: stats?["rd_bytes"]?.integer ?? 0, writtenBytes: stats?["wr_bytes"]?.integer ?? 0,
                operations: counters.reduce(0) { $0 &+ (stats?[$1]?.integer ?? 0) })
        }
    }
}
