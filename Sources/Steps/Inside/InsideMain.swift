import Model
package import SystemPackage
package import Tooling

/// The entry of the helper mode `__inside ORDER`: work on a tree, in a containment that the step has set up.
package enum InsideMain {
    /// Returns the exit status. What goes wrong is one marked line on standard output.
    package static func run(_ order: FilePath, runner: any CommandRunning) async -> Int32 {
        let log: @Sendable (String) -> Void = { say($0) }
        do {
            switch try Canonical.decode(InsideOrder.self, from: try WholeFile.bytes(order)) {
            case .configure(let work): try await work.run(runner: runner, log: log)
            case .assemble(let work): try await work.run(runner: runner, log: log)
            case .verify(let work): try await work.run(runner: runner)
            }
            return 0
        } catch let error as FactoryError {
            say(InsideMessage.error(error.message, remedy: error.remedy))
        } catch {
            say(InsideMessage.error("\(error)", remedy: nil))
        }
        return 1
    }

    /// Written at once: the reader shows each line as it comes.
    private static func say(_ line: String) {
        _ = try? FileDescriptor.standardOutput.writeAll(Array((line + "\n").utf8))
    }
}
