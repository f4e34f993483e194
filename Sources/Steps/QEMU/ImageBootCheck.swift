import Model
package import SystemPackage
package import Tooling

/// Proves that an image boots: on a throw-away overlay, to a login prompt or to the end of cloud-init's work.
package struct ImageBootCheck: Sendable {
    package struct Report: Hashable, Sendable {
        package var seconds: Double
        package var seen: BootSign
        package var accelerator: Accelerator
    }

    private let runner: any CommandRunning
    private let tools: ToolInventory
    private let accelerator: Accelerator
    private let scratch: FilePath

    /// - Parameters:
    ///   - accelerator: what the probe found.
    ///   - scratch: a folder for the overlay, which grows to what the guest writes.
    package init(
        runner: any CommandRunning, tools: ToolInventory, accelerator: Accelerator, scratch: FilePath
    ) {
        self.runner = runner
        self.tools = tools
        self.accelerator = accelerator
        self.scratch = scratch
    }

    /// Boots the image. A guest that KVM may have failed is tried once more without, with a warning.
    ///
    /// Throws `FactoryError` whose log lies in `evidence`, beside the last lines and the screen.
    package func run(
        _ image: GuestImage, clocks: GuestClocks = GuestClocks(), evidence: FilePath,
        onWarning: @escaping @Sendable (String) -> Void = { _ in },
        onSerial: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> Report {
        do {
            return try await attempt(image, accelerator, clocks: clocks, evidence: evidence, onSerial: onSerial)
        } catch let failure as GuestFailure where accelerator == .kvm && failure.accuses {
            onWarning("with KVM the guest failed (\(failure.reason)); it is tried once more without")
        } catch let failure as GuestFailure {
            throw failure.error
        }
        do {
            return try await attempt(image, .tcg, clocks: clocks, evidence: evidence, onSerial: onSerial)
        } catch let failure as GuestFailure {
            throw failure.error
        }
    }

    private func attempt(
        _ image: GuestImage, _ accelerator: Accelerator, clocks: GuestClocks, evidence: FilePath,
        onSerial: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> Report {
        try await ScratchFolder.with(in: scratch) { folder in
            var machine = try await image.prepare(
                in: folder, accelerator: accelerator, tools: tools, runner: runner, evidence: evidence)
            machine.clocks = clocks
            let outcome = try await machine.run(
                until: [.loginPrompt, .cloudInitFinished], ending: .atOnce, by: runner, onSerial: onSerial)
            return Report(seconds: outcome.time / .seconds(1), seen: outcome.sign, accelerator: accelerator)
        }
    }
}
