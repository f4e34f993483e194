import Model
import SystemPackage
import Tooling

/// One request, made by curl in a containment that sees the network and one folder.
struct CurlRequest {
    var source: Source
    var headers: [String]
    /// Bytes that are there already: those after them are asked for and appended.
    var offset: UInt64
    var limits: TransferLimits

    /// What curl reads from its standard input. Everything is in it, and nothing on the command line, which others see.
    var configuration: String {
        let redirected = source.scheme == .https ? "=https" : "=http,https"
        var lines = [
            "silent", "show-error", "no-buffer", "fail", "globoff", "location", "suppress-connect-headers",
            Self.option("url", source.location),
            Self.option("proto", redirected),
            Self.option("proto-redir", redirected),
            "max-redirs = \(limits.redirects)",
            "connect-timeout = \(limits.connecting.wholeSeconds)",
            "speed-limit = 1",
            "speed-time = \(limits.stall.wholeSeconds)",
            Self.option("user-agent", "image-factory/" + ImageFactoryVersion.current),
            Self.option("output", "/mnt/out/body"),
            Self.option("dump-header", "/mnt/out/head"),
            Self.option("write-out", #"status %{http_code}\n"#, escaping: false),
        ]
        if let size = limits.size { lines.append("max-filesize = \(size.bytes)") }
        if offset > 0 { lines.append("continue-at = \(offset)") }
        lines += headers.map { Self.option("header", $0) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func option(_ name: String, _ value: String, escaping: Bool = true) -> String {
        let text = escaping ? value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") : value
        return "\(name) = \"\(text)\""
    }

    /// - Parameters:
    ///   - configuration: the file that has it.
    ///   - folder: takes `body` and `head`.
    func command(configuration: FilePath, folder: FilePath) -> Command {
        let containment = Containment(
            identities: .caller, network: .host, workSize: .mebi(16),
            binds: [Containment.Bind(source: folder, target: "/mnt/out", writable: true)],
            standardInput: configuration, limits: Containment.Limits(fileSize: limits.size))
        return Command(
            "curl", ["--disable", "--config", "-"], containment: containment, secrets: source.secrets)
    }
}

/// How a request ended.
struct CurlOutcome: Sendable {
    /// curl's exit status; nil where a signal ended it.
    var exit: Int32?
    var answer: HTTPAnswer?
    /// What curl said last.
    var message: String?

    init(exit: Int32?, answer: HTTPAnswer?, message: String? = nil) {
        self.exit = exit
        self.answer = answer
        self.message = message
    }

    init(_ result: CommandResult, head: [UInt8]?) {
        if case .exited(let status) = result.ending { exit = status } else { exit = nil }
        answer = head.flatMap { HTTPAnswer($0) }
        // "curl: (28) Operation too slow. …"
        let line = result.lastLines.last { $0.hasPrefix("curl: ") }
        message = line.map { line in
            String(line.dropFirst("curl: ".count).drop { $0 != ")" }.dropFirst().drop { $0 == " " })
        }
    }
}
