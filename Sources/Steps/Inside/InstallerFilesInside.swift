import DiskFormats
import Glibc
import Model
import SystemPackage
import Tooling

/// Takes the kernel and the initrd of an installer out of its ISO image.
package struct InstallerFilesInside: Codable, Sendable {
    static let image: FilePath = "/mnt/medium.iso"
    static let folder: FilePath = "/mnt/medium"
    static let kernel = "kernel"
    static let initrd = "initrd"
    /// Bytes of the largest file that is taken out; initrds have some hundred MiB at the most.
    static let most: UInt64 = 2 << 30

    /// Where media have them.
    private static let places = [
        (kernel: "casper/vmlinuz", initrd: "casper/initrd"),
        (kernel: "install.amd/vmlinuz", initrd: "install.amd/initrd.gz"),
        (kernel: "images/pxeboot/vmlinuz", initrd: "images/pxeboot/initrd.img"),
        (kernel: "boot/x86_64/loader/linux", initrd: "boot/x86_64/loader/initrd"),
    ]

    func run() async throws {
        try await BlockingWork.run { _ in
            let file = try FileDescriptor.open(Self.image, .readOnly, options: [.closeOnExec, .nonBlocking])
            try file.closeAfter {
                do { try extract(file) } catch let error as FileAccessError {
                    throw FactoryError(.inputOutput, "cannot take the installer out of its image: \(error)")
                }
            }
        }
    }

    private func extract(_ file: FileDescriptor) throws {
        guard let disc = try ISO9660Reader(try FileBytes(file)) else {
            throw FactoryError(
                .definition, "the installation image is no ISO 9660 image", remedy: "give the ISO image of an installer"
            )
        }
        for place in Self.places {
            guard let kernel = try disc.find(place.kernel), let initrd = try disc.find(place.initrd),
                kernel.size > 0, kernel.size <= Self.most, initrd.size <= Self.most
            else { continue }
            try copy(kernel, of: file, to: Self.kernel)
            try copy(initrd, of: file, to: Self.initrd)
            return
        }
        let tried = Self.places.map { "\($0.kernel) with \($0.initrd)" }.joined(separator: ", ")
        throw FactoryError(
            .definition, "the installation image has no kernel of an installer: tried \(tried)",
            remedy: "give its kernel and initrd as files of their own")
    }

    private func copy(_ place: ISO9660Reader<FileBytes>.File, of disc: FileDescriptor, to name: String) throws {
        let target = try FileDescriptor.open(
            Self.folder.appending(name), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: FilePermissions(rawValue: 0o644))
        try target.closeAfter {
            var at = place.offset
            let end = place.offset + place.size
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while at < end {
                let wanted = Int(min(UInt64(buffer.count), end - at))
                let count = try buffer.withUnsafeMutableBytes {
                    try disc.read(
                        fromAbsoluteOffset: Int64(at), into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
                }
                guard count > 0 else { throw FileAccessError("read \(name)", "the image is cut off") }
                _ = try target.writeAll(buffer[..<count])
                at += UInt64(count)
            }
        }
    }
}
