import Glibc
import Model
import SystemPackage
import Tooling

/// Brings a file from an rsync server into a folder of its own. The server's own checksums make whole what was
/// interrupted.
struct RsyncTransfer {
    let source: Source
    let runner: any CommandRunning
    let limits: TransferLimits
    let folder: FilePath
    let report: TransferReport

    private var out: FilePath { folder.appending("out") }
    var body: FilePath { out.appending("body") }

    /// What the server's list says of the file; nil if that is `known` and nothing was fetched.
    func run(known: String?) async throws -> String? {
        try LocalFile.makeFolder(out)
        try Containment.handOver(out)
        let entry = try await retrying { try await listed() }
        if entry.stamp == known { return nil }
        if let limit = limits.size, entry.size > limit.bytes {
            throw FactoryError(
                .failed, "\(source.shown) has more than \(limit)", remedy: "check that it is the file you mean")
        }
        let report = report
        try await retrying {
            let command = command(
                ["--inplace", "--times", "--copy-links", "--no-motd", location, "/mnt/out/body"])
            let result = try await FileGrowth.report(body, to: report, total: { entry.size }) {
                try await runner.run(command)
            }
            try check(result)
            guard LocalFile.size(body) != nil else { throw isNoFile }
        }
        return entry.stamp
    }

    private struct Entry: Sendable {
        var size: UInt64
        /// Size and time, as the server's list has them.
        var stamp: String
    }

    private func listed() async throws -> Entry {
        let result = try await runner.run(
            command(["--list-only", "--no-human-readable", "--copy-links", "--no-motd", location]))
        try check(result)
        // "-rw-r--r--        12345 2026/11/21 10:00:00 vmlinuz"
        let lines = result.text.split(whereSeparator: \.isNewline)
        guard lines.count == 1, lines[0].first == "-" else { throw isNoFile }
        let words = lines[0].split(separator: " ", maxSplits: 4)
        guard words.count == 5, let size = UInt64(words[1].filter { $0 != "," }) else { throw isNoFile }
        return Entry(size: size, stamp: words[1...3].joined(separator: " "))
    }

    private var isNoFile: FactoryError {
        FactoryError(.missingInput, "\(source.shown) is no file", remedy: "name one file of the server")
    }

    /// Without the scheme's upper case, which rsync does not know.
    private var location: String { "rsync" + source.location.drop { $0 != ":" } }

    private func command(_ arguments: [String]) -> Command {
        let containment = Containment(
            identities: .caller, network: .host, workSize: .mebi(16),
            binds: [Containment.Bind(source: out, target: "/mnt/out", writable: true)],
            limits: Containment.Limits(fileSize: limits.size))
        let clocks = ["--contimeout=\(limits.connecting.wholeSeconds)", "--timeout=\(limits.stall.wholeSeconds)"]
        return Command("rsync", clocks + arguments, containment: containment)
    }

    private func check(_ result: CommandResult) throws {
        guard !result.succeeded else { return }
        let reason = RsyncFailure.reason(result).map { ": \($0)" } ?? ""
        throw RsyncFailure(
            ending: result.ending,
            error: FactoryError(
                .unavailable, "cannot fetch \(source.shown): rsync ended with \(result.ending)\(reason)",
                remedy: "check the address and the server"))
    }

    private func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await body()
            } catch let failure as RsyncFailure {
                failures += 1
                guard failure.mayPass, failures < limits.attempts else { throw failure.error }
                let pause = limits.pause(after: failures)
                report.log("\(failure.error.message); trying again in \(pause)")
                try await Task.sleep(for: pause)
            }
        }
    }
}

/// An end of rsync that is none to be glad of.
struct RsyncFailure: Error {
    var ending: CommandResult.Ending
    var error: FactoryError

    /// Connections, streams and time: 10, 12, 30 and 35; 255 is what ssh ends with.
    var mayPass: Bool {
        guard case .exited(let status) = ending else { return false }
        return [10, 12, 30, 35, 255].contains(status)
    }

    /// The first line of rsync's own, which says why; later ones are what follows from it.
    static func reason(_ result: CommandResult) -> String? {
        let lines = result.lastLines.filter { !$0.isEmpty }
        return lines.first { $0.hasPrefix("rsync: ") || $0.hasPrefix("@ERROR") } ?? lines.last
    }
}
