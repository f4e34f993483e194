import DiskFormats
import Glibc
package import Model
package import SystemPackage
package import Tooling

/// What the header of a file says, also of one that is refused.
package struct HeaderReport: Hashable, Sendable, Codable {
    /// "raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso", "gzip" …
    package var format: String
    /// QEMU's name of the format; nil for what no disk is.
    package var driver: String?
    /// The bytes that a guest would see.
    package var virtualSize: ByteCount?
    package var fileSize: ByteCount
    /// Reasons not to let a tool open it.
    package var hazards: [String]
    /// Further facts, each a few words.
    package var details: [String]
}

/// What is known of an image file before any other program opens it.
package struct ImageFacts: Hashable, Sendable, Codable {
    /// "raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso".
    package var format: String
    /// QEMU's name of the format.
    package var driver: String
    /// The bytes that a guest would see.
    package var virtualSize: ByteCount
    package var fileSize: ByteCount
}

/// The door by which image files come in: the header is read by our own reader in a contained process of its own, with
/// limits, and what could make a tool read another file of the host is refused with the reason. A content on which the
/// reader traps ends that process and is refused too.
package struct ImageInspection: Sendable {
    private let runner: any CommandRunning
    private let executable: FilePath

    /// - Parameter executable: the program itself, which runs inside.
    package init(runner: any CommandRunning, executable: FilePath) {
        self.runner = runner
        self.executable = executable
    }

    /// Looks at a file, which may be a link to one.
    ///
    /// - Parameters:
    ///   - name: what messages call it; nil: by its path.
    ///   - claimed: the format that somebody says it has; nil: what the ending of its name says, if that is one.
    ///   - accepted: the formats that the caller can use; nil: every format that is not refused.
    /// Throws `FactoryError` with the reason for which it is refused.
    package func inspect(
        _ image: FilePath, as name: String? = nil, claimed: String? = nil, accepted: Set<String>? = nil
    ) async throws -> ImageFacts {
        try Self.requireFile(image)
        let claim = claimed ?? Self.claim(of: image)
        let name = name ?? "the image \(image)"
        let facts = try Self.facts(try await read(image, name), name)
        if let claim, claim != facts.format {
            throw Self.refusal(name, "it is said to be \(claim) and is \(facts.format)")
        }
        if let accepted, !accepted.contains(facts.format) {
            throw FactoryError(
                .definition,
                "\(name) is \(facts.format), not \(accepted.sorted().joined(separator: " or "))",
                remedy: "convert it with qemu-img")
        }
        return facts
    }

    /// What the header says, whatever that is. Throws only where the file cannot be read, or the reader ended over it.
    ///
    /// - Parameter name: what messages call it; nil: by its path.
    package func header(of image: FilePath, as name: String? = nil) async throws -> HeaderReport {
        try Self.requireFile(image)
        return try await read(image, name ?? "the image \(image)")
    }

    private static func facts(_ report: HeaderReport, _ name: String) throws -> ImageFacts {
        if let hazard = report.hazards.first { throw refusal(name, hazard) }
        guard let driver = report.driver else {
            throw refusal(name, "it is compressed (\(report.format)): unpack it first")
        }
        guard let size = report.virtualSize else {
            throw refusal(name, "it is \(report.format) and does not say its size")
        }
        return ImageFacts(format: report.format, driver: driver, virtualSize: size, fileSize: report.fileSize)
    }

    static func refusal(_ name: String, _ reason: String) -> FactoryError {
        FactoryError(
            .definition, "\(name) is not safe to open: \(reason)",
            remedy: "convert it to a plain qcow2 or raw image where it comes from")
    }

    private static func requireFile(_ image: FilePath) throws {
        var facts = stat()
        guard stat(image.string, &facts) == 0 else {
            throw FactoryError(
                .missingInput, "cannot read the image \(image): \(Errno(rawValue: errno))",
                remedy: "check the path and its mode")
        }
        let kind: String
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: kind = "folder"
        case S_IFIFO: kind = "pipe"
        case S_IFSOCK: kind = "socket"
        default: kind = "device"
        }
        throw FactoryError(
            .missingInput, "the image \(image) is no file but a \(kind)", remedy: "give the path of an image file")
    }

    /// The format that a name's ending promises. ".img" and ".bin" promise nothing.
    private static func claim(of image: FilePath) -> String? {
        switch image.extension?.lowercased() {
        case "raw": "raw"
        case "qcow2": "qcow2"
        case "vmdk": "vmdk"
        case "vhd", "vpc": "vhd"
        case "vhdx": "vhdx"
        case "vdi": "vdi"
        case "iso": "iso"
        default: nil
        }
    }

    private func read(_ image: FilePath, _ name: String) async throws -> HeaderReport {
        let command = Command(
            "/mnt/image-factory", ["__inside", "inspect:/mnt/image"],
            containment: Containment(
                workSize: .mebi(16),
                binds: [
                    .init(source: executable, target: "/mnt/image-factory"), .init(source: image, target: "/mnt/image"),
                ], limits: .init(addressSpace: .gibi(2), processorTime: .seconds(20), fileSize: ByteCount(1 << 16))),
            timeout: .seconds(60))
        let result = try await runner.run(command)
        if result.succeeded, !result.standardOutputIsTruncated,
            let report = try? Canonical.decode(HeaderReport.self, from: result.standardOutput)
        {
            return report
        }
        if let said = result.lastLines.lazy.compactMap({ InsideMessage($0) }).first(where: \.isError) {
            let parts = said.text.split(separator: "\t", maxSplits: 1).map(String.init)
            throw FactoryError(
                .missingInput, "cannot read the image \(image): \(parts[0])", remedy: "check the path and its mode")
        }
        throw Self.refusal(name, "its header cannot be read: the reader ended with \(result.ending)")
    }
}
