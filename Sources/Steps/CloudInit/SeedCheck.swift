package import Model
import SystemPackage
package import Tooling

/// What is suspicious in the files of a seed, as warnings: cloud-init itself has the last word, in the guest.
package struct SeedCheck: Sendable {
    private static let place = "/mnt/seed-file"

    private let runner: any CommandRunning

    package init(runner: any CommandRunning) { self.runner = runner }

    /// The first lines, and the indentation.
    ///
    /// - Parameter file: the host's name of the file, for the warnings.
    package static func warnings(_ kind: SeedFile.Kind, _ bytes: [UInt8], file: String) -> [Diagnostic] {
        switch kind {
        case .userData, .vendorData:
            let kind = UserDataKind(bytes)
            return firstLine(kind, bytes, file) + (kind == .cloudConfig ? tabs(bytes, file) : [])
        case .metaData, .networkConfig:
            return tabs(bytes, file)
        }
    }

    private static func firstLine(_ kind: UserDataKind, _ bytes: [UInt8], _ file: String) -> [Diagnostic] {
        guard kind == .unknown else { return [] }
        let line = bytes.prefix { $0 != 0x0a }
        let text =
            bytes.starts(with: [0xef, 0xbb, 0xbf])
            ? "the file begins with a byte order mark"
            : "the first line is '\(SerialText.printable(line.prefix(60)))'"
        return [
            Diagnostic(
                file: file, line: 1, column: 1, .warning,
                "\(text), which cloud-init does not know: it ignores the file; '#cloud-config' may be meant")
        ]
    }

    /// YAML forbids tabs where lines are indented.
    private static func tabs(_ bytes: [UInt8], _ file: String) -> [Diagnostic] {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let indent = line.prefix { $0 == 0x20 || $0 == 0x09 }
            if let tab = indent.firstIndex(of: 0x09), indent.count < line.count {
                return [
                    Diagnostic(
                        file: file, line: index + 1, column: tab - line.startIndex + 1, .warning,
                        "a tab indents this line, which YAML forbids")
                ]
            }
        }
        return []
    }

    /// What the host's own `cloud-init schema` says of a cloud-config; nothing where there is no cloud-init.
    ///
    /// - Parameter path: of the file, absolute.
    package func schemaWarnings(_ path: String, _ bytes: [UInt8]) async throws -> [Diagnostic] {
        guard UserDataKind(bytes) == .cloudConfig else { return [] }
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [.init(source: FilePath(path), target: Self.place)],
            limits: .init(addressSpace: .gibi(2), processorTime: .seconds(30), fileSize: .mebi(1)))
        let lines = LineCollector()
        let command = Command(
            "cloud-init", ["schema", "--config-file", Self.place], containment: containment, timeout: .seconds(60))
        let result: CommandResult
        do {
            result = try await runner.run(command) { _, line in lines.add(line) }
        } catch is FactoryError {
            // It is an extra where it is there.
            return []
        }
        return result.succeeded ? [] : Self.faults(lines.lines, file: path)
    }

    /// `Error: Cloud config schema errors: packages: 1 is not of type 'array'`, and what belongs to lines of the file:
    /// `format-l2.c1: …`.
    static func faults(_ lines: [String], file: String) -> [Diagnostic] {
        lines.flatMap { line -> [Diagnostic] in
            guard let errors = line.firstRange(of: "schema errors:") else { return [] }
            return line[errors.upperBound...].split(separator: ", ").map { fault in
                let words = fault.drop { $0 == " " }
                let number = words.firstRange(of: "format-l").map { words[$0.upperBound...].prefix(while: \.isNumber) }
                return Diagnostic(
                    file: file, line: number.flatMap { Int($0) } ?? 1, column: 1, .warning,
                    "cloud-init schema: \(words)")
            }
        }
    }
}
