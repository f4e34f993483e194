import Model

/// What can go wrong between us and QEMU's monitor.
package enum QMPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The connection ended: QEMU did, most of the time.
    case closed
    /// What came is not the protocol.
    case malformed(String)
    /// QEMU answered with an error.
    case refused(command: String, type: String, message: String)
    case timedOut(command: String)

    package var description: String {
        switch self {
        case .closed: "QEMU's monitor closed the connection"
        case .malformed(let what): "QEMU's monitor sent \(what)"
        case .refused(let command, _, let message): "QEMU refused '\(command)': \(message)"
        case .timedOut(let command): "QEMU did not answer '\(command)' in time"
        }
    }
}

/// Something that happened in the machine: `SHUTDOWN`, `RESET`, `STOP`, `GUEST_PANICKED`.
package struct QMPEvent: Hashable, Sendable {
    package var name: String
    package var data: JSONValue
}

/// A message of QEMU's monitor (docs/interop/qmp-spec.txt of QEMU).
enum QMPMessage: Hashable, Sendable {
    /// With QEMU's version: "7.2.22".
    case greeting(version: String)
    case success(id: Int64?, value: JSONValue)
    case failure(id: Int64?, type: String, message: String)
    case event(QMPEvent)

    /// Reads one line.
    init(line: [UInt8]) throws(QMPError) {
        let value: JSONValue
        do {
            value = try Canonical.decode(JSONValue.self, from: line)
        } catch {
            throw .malformed("a line that is not JSON")
        }
        if let greeting = value["QMP"] {
            let numbers = greeting["version"]?["qemu"]
            let parts = ["major", "minor", "micro"].map { numbers?[$0]?.integer ?? 0 }
            self = .greeting(version: parts.map(String.init).joined(separator: "."))
        } else if let name = value["event"]?.string {
            self = .event(QMPEvent(name: name, data: value["data"] ?? [:]))
        } else if let result = value["return"] {
            self = .success(id: value["id"]?.integer, value: result)
        } else if let error = value["error"] {
            self = .failure(
                id: value["id"]?.integer, type: error["class"]?.string ?? "GenericError",
                message: error["desc"]?.string ?? "no description")
        } else {
            throw .malformed("a message of an unknown kind")
        }
    }
}

/// Cuts a stream of bytes into lines, with a limit for their length.
struct LineSplitter: Sendable {
    /// The longest line, in bytes.
    let limit: Int
    private var rest: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    /// The lines that these bytes complete, without their ends (LF or CR LF); nil if one is too long.
    mutating func lines(adding bytes: [UInt8]) -> [[UInt8]]? {
        var found: [[UInt8]] = []
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if part.offset > 0 {
                if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
                found.append(rest)
                rest = []
            }
            guard rest.count + part.element.count <= limit else { return nil }
            rest += part.element
        }
        return found
    }
}
