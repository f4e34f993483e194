import Engine
import Glibc
import Model
import SystemPackage
import Tooling
import Transfer

/// Unpacks image files that are compressed, and never to more than a disk of the wanted size can need.
struct UnpackedImage {
    let environment: StepEnvironment
    let context: StepContext

    /// The most where nothing says how large the disk is.
    private static let most = ByteCount.gibi(64)
    /// What a format needs beside the disk.
    private static let margin = ByteCount.mebi(64)

    /// By the names that headers give them.
    private static let formats: [String: Decompressor.Format] = [
        "gzip": .gzip, "bzip2": .bzip2, "xz": .xz, "zstd": .zstd,
    ]

    /// The file itself if it is not compressed, or what it unpacks to.
    func file(of path: FilePath, for action: ImportAction) async throws -> FilePath {
        let inspection = ImageInspection(runner: environment.runner, executable: environment.executable)
        let header = try await inspection.header(of: path, as: ImportStep.inputName)
        guard header.driver == nil, let format = Self.formats[header.format] else { return path }
        if let hazard = header.hazards.first { throw ImageInspection.refusal(ImportStep.inputName, hazard) }
        let folder = context.scratch.appending("unpacked")
        guard mkdir(folder.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        context.report.log("unpacking \(header.fileSize) of \(header.format)")
        let limits = Decompressor.Limits(size: try cap(for: action, in: folder))
        return try await Decompressor(runner: environment.runner, limits: limits).unpack(
            path, format: format, into: folder, report: TransferReport(log: context.report.log))
    }

    /// The disk cannot be larger than what is wanted of it, unless it may shrink; and there must be room for it.
    private func cap(for action: ImportAction, in folder: FilePath) throws -> ByteCount {
        var facts = statvfs()
        guard statvfs(folder.string, &facts) == 0 else { throw Errno(rawValue: errno) }
        let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
        let (disk, margin) = (min(action.size?.bytes ?? 0, 1 << 48), Self.margin.bytes)
        let isBounded = action.size != nil && !action.mayShrink
        let wanted = isBounded ? disk + disk / 64 + margin : max(Self.most.bytes, disk)
        return ByteCount(min(wanted, max(free / 10 * 9, margin)))
    }
}
