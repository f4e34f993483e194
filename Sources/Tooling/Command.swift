/// A program to run, as a value: arguments are never interpreted by a shell.
package struct Command: Sendable, Hashable {
    /// A name, which is looked up in `searchPath`, or a path.
    package var program: String
    package var arguments: [String]
    /// Added to the fixed environment that every program gets; nothing is inherited.
    package var environment: [String: String]
    /// Nil for short programs that only read, such as `qemu-img --version`.
    package var containment: Containment?
    /// After this the program is ended and the run fails.
    package var timeout: Duration?
    /// Texts that are shown as `***` wherever the command or its output lines are shown.
    package var secrets: [String]

    package init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
        containment: Containment? = nil, timeout: Duration? = nil, secrets: [String] = []
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.containment = containment
        self.timeout = timeout
        self.secrets = secrets
    }

    package static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The program's name without its folder, for messages.
    package var name: String { program.split(separator: "/").last.map(String.init) ?? program }

    /// All that the program finds in its environment. `proxies` are the caller's settings; they are of use, and given,
    /// only where the contained program shares the host's network. HOME holds no settings of the caller, so that
    /// nobody's dot files change a result.
    func completeEnvironment(proxies: [String: String]) -> [String: String] {
        var complete = ["PATH": Self.searchPath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent"]
        if containment?.workSize != nil { complete["HOME"] = "/mnt/tmp" }
        if containment?.network == .host { complete.merge(proxies) { $1 } }
        return complete.merging(environment) { $1 }
    }

    /// `text` without the secrets, also as a line of output shows them.
    package func masking(_ text: String) -> String {
        guard !secrets.isEmpty else { return text }
        // Byte by byte, for characters may join with those beside a secret; the longest first, for one may hold another.
        let shown = Set(secrets + secrets.map { LineSplitter.printable(Array($0.utf8)) }).subtracting([""])
        let hidden = shown.map { Array($0.utf8) }.sorted { $0.count > $1.count }
        var rest = Array(text.utf8)[...]
        let wasCut = rest.suffix(LineSplitter.cutMark.count) == LineSplitter.cutMark[...]
        var masked: [UInt8] = []
        while let first = rest.first {
            if let secret = hidden.first(where: { $0[0] == first && rest.starts(with: $0) }) {
                masked += Array("***".utf8)
                rest = rest.dropFirst(secret.count)
            } else if wasCut, Self.begins(rest.dropLast(LineSplitter.cutMark.count), one: hidden) {
                masked += Array("***…".utf8)
                break
            } else {
                masked.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: masked, as: UTF8.self)
    }

    /// Whether the end of a line that was cut is the beginning of a secret.
    private static func begins(_ end: ArraySlice<UInt8>, one secrets: [[UInt8]]) -> Bool {
        !end.isEmpty && secrets.contains { $0.count > end.count && $0.starts(with: end) }
    }
}

extension Command: CustomStringConvertible {
    /// The command line for people: neither the environment nor the secrets.
    package var description: String {
        let words = ([program] + arguments).map { word in
            let isPlain =
                !word.isEmpty
                && word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"'\"\\$`*?|&;<>()".utf8.contains($0) }
            return isPlain
                ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
        }
        return masking(words.joined(separator: " "))
    }
}

extension Command: CustomDebugStringConvertible {
    package var debugDescription: String { description }
}
