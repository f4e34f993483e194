import DiskFormats
import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// The kernel, initrd and installation medium of an action, as files of the host.
struct InstallerFiles {
    var kernel: FilePath
    var initrd: FilePath
    /// Nil where the installer has everything or fetches it.
    var medium: FilePath?

    /// Finds the downloaded files, and takes kernel and initrd out of an image.
    static func find(
        _ action: InstallAction, environment: StepEnvironment, context: StepContext
    ) async throws -> InstallerFiles {
        func file(_ digest: Digest) throws -> FilePath {
            guard let path = environment.sources[digest] else {
                throw FactoryError(.internal, "the installer's file \(digest.hex.prefix(12)) is not known")
            }
            return path
        }
        switch action.medium {
        case .kernel(let kernel, let initrd):
            return InstallerFiles(kernel: try file(kernel), initrd: try file(initrd), medium: nil)
        case .image(let digest):
            let image = try file(digest)
            let folder = context.scratch.appending("medium")
            guard mkdir(folder.string, 0o755) == 0 else {
                throw FileFailure.error(Errno(rawValue: errno), "make", folder)
            }
            try await extract(image, to: folder, environment: environment, context: context)
            return InstallerFiles(
                kernel: folder.appending(InstallerFilesInside.kernel),
                initrd: folder.appending(InstallerFilesInside.initrd), medium: image)
        }
    }

    /// A hostile image can make this fail, and nothing else.
    private static func extract(
        _ image: FilePath, to folder: FilePath, environment: StepEnvironment, context: StepContext
    ) async throws {
        try Containment.handOver(folder)
        var work = ContainedWork(
            within: .init(
                addressSpace: .gibi(8), processorTime: .seconds(300), fileSize: ByteCount(InstallerFilesInside.most)))
        work.bind(folder, InstallerFilesInside.folder.string, writable: true)
        work.bind(image, InstallerFilesInside.image.string)
        try await InsideProgram.run(
            .installerFiles(InstallerFilesInside()), work: work, environment: environment, context: context)
    }
}
