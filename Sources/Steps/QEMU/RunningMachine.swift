import Synchronization
import Tooling

/// A machine that runs for the length of a scope.
package struct RunningMachine: Sendable {
    package let monitor: QMPClient
    let serial: SocketConnection
    let recorder: SerialRecorder
    /// What comes from the ports for the guest's own word.
    let report: Report?
    let events: MachineEvents
    /// What has gone through the network so far; 0 where nobody counts.
    let networkBytes: @Sendable () -> UInt64
    let exit: ExitWatch
    let process: RunningCommand

    struct Report: Sendable {
        let ports: [SocketConnection]
        let recorder: SerialRecorder
    }

    package var isRunning: Bool { exit.isRunning }

    /// Ends the connections.
    func close() {
        monitor.close()
        serial.close()
        for port in report?.ports ?? [] { port.close() }
    }

    /// Types on the guest's serial console.
    package func type(_ bytes: [UInt8]) throws { try serial.send(bytes) }

    /// Presses the power button, waits, and switches off what is still on. Returns whether the guest went itself.
    @discardableResult
    package func powerDown(grace: Duration) async throws -> Bool {
        do {
            try await monitor.powerDown()
        } catch is QMPError {
            // Gone, or not able to answer: what follows deals with both.
        }
        if try await exit.wait(for: grace) { return true }
        try await switchOff()
        return false
    }

    /// Ends QEMU at once; it writes out what it holds of the disks.
    package func switchOff() async throws {
        do {
            try await monitor.quit()
        } catch is QMPError {
            process.terminate()
        }
        if try await !exit.wait(for: .seconds(10)) { process.terminate() }
    }
}
