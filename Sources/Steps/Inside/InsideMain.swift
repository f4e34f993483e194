import Model
import SystemPackage
package import Tooling

/// The entry of the helper mode `__inside ORDER`: work on a tree, a disk or an image, in a containment that the step has set
/// up. An order is a file, or `inspect:IMAGE`.
package enum InsideMain {
    /// Returns the exit status. What goes wrong is one marked line on standard output.
    package static func run(_ order: String, runner: any CommandRunning) async -> Int32 {
        let inspect = "inspect:"
        if order.hasPrefix(inspect) { return inspection(of: FilePath(String(order.dropFirst(inspect.count)))) }
        let log: @Sendable (String) -> Void = { say($0) }
        do {
            switch try Canonical.decode(InsideOrder.self, from: try WholeFile.bytes(FilePath(order))) {
            case .configure(let work): try await work.run(runner: runner, log: log)
            case .clean(let work): try await work.run(runner: runner, log: log)
            case .assemble(let work): try await work.run(runner: runner, log: log)
            case .convert(let work): try await work.run { say(InsideMessage.progress($0, of: $1)) }
            case .verify(let work): try await work.run(runner: runner)
            case .diff(let work): try await work.run()
            case .resize(let work): try work.run(log: log)
            case .seal(let work):
                try await work.run(runner: runner, log: log) { say(InsideMessage.progress($0, of: $1)) }
            case .installerFiles(let work): try await work.run()
            case .installedDisk(let work): try work.run()
            case .setupFindings(let work): try work.run()
            case .reset(let work): try await work.run(runner: runner, log: log)
            }
            return 0
        } catch let error as FactoryError {
            say(InsideMessage.error(error.message, remedy: error.remedy))
        } catch {
            say(InsideMessage.error("\(error)", remedy: nil))
        }
        return 1
    }

    private static func inspection(of image: FilePath) -> Int32 {
        do {
            say(try Canonical.text(try InspectInside(image: image).run()))
            return 0
        } catch {
            say(InsideMessage.error("\(error)", remedy: nil))
            return 1
        }
    }

    /// Written at once: the reader shows each line as it comes.
    private static func say(_ line: String) {
        _ = try? FileDescriptor.standardOutput.writeAll(Array((line + "\n").utf8))
    }
}
