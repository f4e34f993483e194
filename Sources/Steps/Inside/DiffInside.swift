import Compare
import DiskFormats
import Model
import SystemPackage
import Tooling

/// Compares two images, or two archives, inside a containment: what traps there ends this process and nothing else.
package struct DiffInside: Codable, Sendable {
    /// How a file is read.
    package enum Kind: String, Codable, Sendable {
        case raw
        case qcow2
        case tar
        case zstandardTar = "tar.zst"
    }

    var kinds: [Kind]
    /// What the report says of the two files.
    var sides: [DiffReport.Side]
    /// Regions or members in detail.
    var limit: Int

    /// What is compared.
    static let files: [FilePath] = ["/mnt/in/first", "/mnt/in/second"]
    /// The files as they were given: others where a disk was converted.
    static let originals: [FilePath] = ["/mnt/in/first-file", "/mnt/in/second-file"]
    static let report = "diff.json"

    func run() async throws {
        let report = try await BlockingWork.run { checkCancellation in
            do {
                return try compare(checkCancellation)
            } catch let error as TarError {
                throw FactoryError(
                    .definition, "the archives cannot be compared: \(error)",
                    remedy: "give two whole tar files; a compressed disk image has to be unpacked first")
            } catch let error as QCOW2Error {
                throw FactoryError(.definition, "the images cannot be compared: \(error)")
            } catch let error as FileAccessError {
                throw FactoryError(.inputOutput, "the images cannot be compared: \(error)")
            }
        }
        try WholeFile.write(try Canonical.text(report), FilePath("/mnt/out").appending(Self.report))
    }

    private func compare(_ check: () throws -> Void) throws -> DiffReport {
        guard kinds.count == 2, sides.count == 2 else { throw FactoryError(.internal, "two files are compared") }
        let first = try FileDescriptor.open(Self.files[0], .readOnly, options: .closeOnExec)
        return try first.closeAfter {
            let second = try FileDescriptor.open(Self.files[1], .readOnly, options: .closeOnExec)
            return try second.closeAfter { try compare(first, second, check) }
        }
    }

    private func compare(
        _ first: FileDescriptor, _ second: FileDescriptor, _ check: () throws -> Void
    ) throws -> DiffReport {
        var report = DiffReport(first: sides[0], second: sides[1], isEqual: false, filesAreEqual: false)
        if kinds[0].isArchive {
            try TarDiff(
                .init(first, isZstd: kinds[0] == .zstandardTar), .init(second, isZstd: kinds[1] == .zstandardTar)
            )
            .run(limit: limit, into: &report, check: check)
        } else {
            let disks = try zip([first, second], kinds).map { try GuestDisk($0, isQCOW2: $1 == .qcow2) }
            try DiskDiff(disks[0], disks[1]).run(limit: limit, into: &report, check: check)
        }
        if report.isEqual { report.filesAreEqual = try filesAreEqual(check) }
        return report
    }

    /// Whether the files that were given have the same bytes, whatever format they are of.
    private func filesAreEqual(_ check: () throws -> Void) throws -> Bool {
        guard sides[0].format == sides[1].format, sides[0].fileSize == sides[1].fileSize else { return false }
        // Two raw disks were compared already.
        if sides[0].format == "raw" { return true }
        let first = try FileDescriptor.open(Self.originals[0], .readOnly, options: .closeOnExec)
        return try first.closeAfter {
            let second = try FileDescriptor.open(Self.originals[1], .readOnly, options: .closeOnExec)
            return try second.closeAfter {
                let files = try [first, second].map { try GuestDisk($0, isQCOW2: false) }
                guard files[0].size == files[1].size else { return false }
                do {
                    try DiskComparison(files[0], files[1], borders: []).forEachRegion(check: check) { _ in
                        throw FilesDiffer()
                    }
                    return true
                } catch is FilesDiffer {
                    return false
                }
            }
        }
    }

    /// Ends a comparison at the first difference.
    private struct FilesDiffer: Error {}
}

extension DiffInside.Kind {
    package var isArchive: Bool { self == .tar || self == .zstandardTar }
}
