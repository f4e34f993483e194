import Glibc
import Model
import Synchronization
import SystemPackage
import Tooling

/// One download by curl in a containment, into two files that can be read while they grow.
final class UpstreamFetch: Sendable {
    struct Wish: Sendable {
        var url: ProxyURL
        /// That of the host, found and judged before; nil leaves the name to the proxy that this machine uses.
        var address: NetworkAddress?
        var isHead = false
        var fields: [(name: String, value: String)] = []
    }

    /// Of a file. No package is larger, and a guest must not fill the store.
    static let sizeLimit = ByteCount.gibi(16)

    private let folder: FilePath
    private let outcome = Mutex<Result<CommandResult, any Error>?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter folder: an empty one, which contained processes can write to.
    init(_ wish: Wish, folder: FilePath, runner: any CommandRunning) {
        self.folder = folder
        let containment = Containment(
            network: .host, workSize: .mebi(4), binds: [.init(source: folder, target: "/mnt/out", writable: true)])
        let command = Command("curl", Self.arguments(wish), containment: containment)
        let work = Task {
            let result: Result<CommandResult, any Error>
            do { result = .success(try await runner.run(command)) } catch { result = .failure(error) }
            self.outcome.withLock { $0 = result }
        }
        task.withLock { $0 = work }
    }

    static func arguments(_ wish: Wish) -> [String] {
        var arguments = [
            "--disable", "--silent", "--show-error", "--globoff", "--path-as-is", "--no-buffer", "--http1.1",
            "--proto", "=http,https", "--suppress-connect-headers", "--connect-timeout", "20", "--speed-limit", "1",
            "--speed-time", "60", "--max-filesize", "\(sizeLimit.bytes)", "--dump-header", "/mnt/out/head", "--output",
            "/mnt/out/body",
        ]
        if wish.isHead { arguments.append("--head") }
        for (name, value) in wish.fields {
            arguments += ["--header", value.isEmpty ? "\(name);" : "\(name): \(value)"]
        }
        // An IPv6 address is no name to curl, and leads to itself.
        if let address = wish.address, !wish.url.host.hasPrefix("[") {
            arguments += ["--resolve", "\(wish.url.host):\(wish.url.port):\(address)"]
        }
        return arguments + ["--url", wish.url.description]
    }

    var body: FilePath { folder.appending("body") }

    var isRunning: Bool { outcome.withLock { $0 == nil } }

    /// Ends the download, and waits for that.
    func stop() {
        task.withLock { $0?.cancel() }
        while isRunning { usleep(2000) }
    }

    /// What went wrong, once it has ended; nil if nothing did.
    var failure: String? {
        switch outcome.withLock({ $0 }) {
        case nil: nil
        case .failure(let error): "\(error)"
        case .success(let result) where result.succeeded: nil
        case .success(let result): result.reason ?? "curl ended with \(result.ending)"
        }
    }

    /// Waits for the head of the answer; nil if none comes.
    func head() -> HTTPResponse? {
        while true {
            let isLast = !isRunning
            if let head = readHead() { return head }
            if isLast { return nil }
            usleep(2000)
        }
    }

    private func readHead() -> HTTPResponse? {
        guard let bytes = try? WholeFile.bytes(folder.appending("head")) else { return nil }
        var rest = bytes[...]
        while let end = HTTPParser.headEnd(in: rest) {
            guard let response = try? HTTPParser.response(rest[..<end]) else { return nil }
            // "Continue" and the like come before the answer.
            if response.status >= 200 { return response }
            rest = rest[end...]
        }
        return nil
    }

    /// Gives the body to `sink` while it comes. Returns its length; what may be missing then, `failure` tells.
    func forEachChunk(_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> UInt64 {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var total: UInt64 = 0
        var file: FileDescriptor?
        defer { try? file?.close() }
        while true {
            let isLast = !isRunning
            // A contained process made it: it must be a file, and no link.
            if file == nil {
                file = try? FileDescriptor.open(body, .readOnly, options: [.closeOnExec, .noFollow, .nonBlocking])
            }
            while let file {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { break }
                total += UInt64(count)
                try buffer.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            if isLast { return total }
            usleep(2000)
        }
    }
}
