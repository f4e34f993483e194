import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Unpacks image files that are compressed, each by its program in a containment, and never more than a cap.
struct UnpackedImage {
    let environment: StepEnvironment
    let context: StepContext

    /// The most where nothing says how large the disk is: a small file may unpack to any size.
    private static let most = ByteCount.gibi(16)
    /// What a format needs beside the disk.
    private static let margin = ByteCount.mebi(64)

    /// The file itself if it is not compressed, or what it unpacks to.
    func file(of path: FilePath, for action: ImportAction) async throws -> FilePath {
        let inspection = ImageInspection(runner: environment.runner, executable: environment.executable)
        let header = try await inspection.header(of: path)
        guard header.driver == nil, let (program, ending) = Self.programs[header.format] else { return path }
        if let hazard = header.hazards.first { throw ImageInspection.refusal(path, hazard) }
        let folder = context.scratch.appending("unpacked")
        guard mkdir(folder.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        try Containment.handOver(folder)
        let cap = try cap(for: action, in: folder)
        // The programs write beside what they read, under its name without the ending.
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: folder, target: "/mnt/out", writable: true),
                .init(source: path, target: "/mnt/in/image"),
            ], workingDirectory: "/mnt/out",
            limits: .init(addressSpace: .gibi(4), processorTime: .seconds(3600), fileSize: cap))
        guard symlink("/mnt/in/image", folder.appending("image" + ending).string) == 0 else {
            throw Errno(rawValue: errno)
        }
        context.report.log("unpacking \(header.fileSize) of \(header.format)")
        do {
            try await environment.runner.runChecked(
                Command(program[0], Array(program.dropFirst()) + ["image" + ending], containment: containment),
                activity: "unpacking"
            ) { _, line in context.report.log(line) }
        } catch let error as FactoryError {
            throw refused(error, path, folder.appending("image"), cap)
        }
        return folder.appending("image")
    }

    /// By the name of the compression, the program with its options, and the ending that it wants.
    private static let programs: [String: ([String], String)] = [
        "gzip": (["gzip", "-d", "-k", "-f"], ".gz"), "bzip2": (["bzip2", "-d", "-k", "-f"], ".bz2"),
        "xz": (["xz", "-d", "-k", "-f", "--memlimit-decompress=1GiB"], ".xz"),
        "zstd": (["zstd", "-q", "-d", "-k", "-f", "--long=31"], ".zst"),
    ]

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

    private func refused(_ error: FactoryError, _ path: FilePath, _ image: FilePath, _ cap: ByteCount) -> FactoryError {
        var facts = stat()
        if stat(image.string, &facts) == 0, UInt64(max(0, facts.st_size)) >= cap.bytes {
            return FactoryError(
                .definition, "the image \(path) unpacks to more than \(cap)",
                remedy: "unpack it yourself if you trust it, or free some space for the store")
        }
        return FactoryError(
            .definition, "the image \(path) cannot be unpacked: \(error.message)",
            remedy: "it is damaged: get it anew from where it comes from")
    }
}
