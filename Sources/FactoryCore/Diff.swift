import DiskFormats
import Glibc
package import Model
import Steps
import Store
package import SystemPackage

extension Factory {
    /// Tells what differs between two disk images of any formats, or between two tar files. Neither is changed; the
    /// headers are looked at before any tool opens them.
    ///
    /// - Parameter limit: the regions of a disk, or members of an archive, that are told in detail.
    /// Throws `FactoryError` with the code `definition` if they cannot be compared.
    package func diff(
        _ first: FilePath, _ second: FilePath, limit: Int, note: @escaping @Sendable (String) -> Void
    ) async throws -> DiffReport {
        let archives = try [first, second].map(Self.archive)
        switch (archives[0], archives[1]) {
        case (nil, nil): break
        case (_?, _?): break
        case (let one, _):
            let (archive, image) = one == nil ? (second, first) : (first, second)
            throw FactoryError(
                .definition, "\(archive) is an archive and \(image) is none: they cannot be compared",
                remedy: "compare two disk images, or two tar files")
        }
        let opened = try await openStore()
        return try await opened.withWorkFolder { scratch in
            var inputs: [ImageComparison.Input] = []
            for (at, path) in [first, second].enumerated() {
                if let kind = archives[at] {
                    inputs.append(try Self.input(path, kind))
                } else {
                    inputs.append(try await image(path, in: scratch, at, note))
                }
            }
            let output = scratch.appending("out")
            try Folder.make(output)
            return try await ImageComparison(runner: runner, executable: executable).run(
                inputs[0], inputs[1], limit: limit, output: output, scratch: scratch)
        }
    }

    /// What kind of archive a file is, nil if it is none.
    private static func archive(_ path: FilePath) throws -> DiffInside.Kind? {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            let start = try file.closeAfter { try FileBytes(file).bytes(at: 0, count: 512).content }
            if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstandardTar }
            return start.count == 512 && start[257..<262].elementsEqual(Array("ustar".utf8)) ? .tar : nil
        } catch {
            throw FactoryError(
                .missingInput, "cannot read the image \(path): \(error)", remedy: "check the path and its mode")
        }
    }

    private static func input(_ archive: FilePath, _ kind: DiffInside.Kind) throws -> ImageComparison.Input {
        var facts = stat()
        guard stat(archive.string, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw FactoryError(.missingInput, "\(archive) is no file", remedy: "give the path of a file")
        }
        let size = ByteCount(UInt64(max(0, facts.st_size)))
        return .init(archive, of: archive, kind: kind, side: .init(format: kind.rawValue, size: size, fileSize: size))
    }

    /// A disk image; what this program does not read itself is converted first.
    private func image(
        _ path: FilePath, in scratch: FilePath, _ number: Int, _ note: @escaping @Sendable (String) -> Void
    ) async throws -> ImageComparison.Input {
        let facts = try await ImageInspection(runner: runner, executable: executable).inspect(path)
        let side = DiffReport.Side(format: facts.format, size: facts.virtualSize, fileSize: facts.fileSize)
        switch facts.driver {
        case "raw": return .init(path, of: path, kind: .raw, side: side)
        case "qcow2": return .init(path, of: path, kind: .qcow2, side: side)
        default:
            let folder = scratch.appending("raw\(number)")
            try Folder.make(folder)
            let copy = try await rawCopy(
                of: path, driver: facts.driver, in: folder, purpose: "compared", note)
            return .init(copy, of: path, kind: .raw, side: side)
        }
    }
}
