import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@Suite struct FATFilesystemTests {
    /// A FAT of a width, at an offset, with /loader/random-seed and a file of many clusters.
    private func with(_ width: Int, _ body: (FileDescriptor) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let image = scratch.path.appending("esp")
            try Scratch.write("", image)
            #expect(truncate(image.string, width == 32 ? 40 << 20 : width == 16 ? 8 << 20 : 1 << 20) == 0)
            let seed = scratch.path.appending("seed")
            try Scratch.write("seed", seed)
            let runner = CommandRunner()
            for (program, arguments) in [
                ("mkfs.vfat", ["-F", "\(width)", "-s", "1", "-n", "ESP", "-i", "1234abcd", image.string]),
                ("mmd", ["-i", image.string, "::loader", "::EFI"]),
                ("mcopy", ["-i", image.string, seed.string, "::loader/random-seed"]),
            ] {
                try await runner.runChecked(Command(program, arguments), activity: "making a FAT")
            }
            let file = try FileDescriptor.open(image, .readWrite)
            defer { try? file.close() }
            try await body(file)
        }
    }

    @Test(arguments: [12, 16, 32])
    func `Files are found by their long names`(width: Int) async throws {
        try await with(width) { file in
            let fat = try #require(try FATFilesystem(FileBytes(file), at: 0))
            #expect(try fat.find(["loader", "random-seed"])?.size == 4)
            #expect(try fat.find(["LOADER"])?.isFolder == true)
            #expect(try fat.find(["EFI", "random-seed"]) == nil)
            #expect(try fat.find(["loader", "random-seed", "x"]) == nil)
            #expect(fat.identifier == "1234-ABCD")
            #expect(fat.label == "ESP")
        }
    }

    @Test(arguments: [12, 16, 32])
    func `A FAT that was not unmounted is dirty`(width: Int) async throws {
        try await with(width) { file in
            #expect(try FATFilesystem(FileBytes(file), at: 0)?.isDirty() == false)
            _ = try file.writeAll(toAbsoluteOffset: width == 32 ? 65 : 37, [1])
            #expect(try FATFilesystem(FileBytes(file), at: 0)?.isDirty() == true)
        }
    }

    @Test func `The bit in the table counts too`() async throws {
        try await with(32) { file in
            _ = try file.writeAll(toAbsoluteOffset: 32 * 512 + 7, [0x07])
            #expect(try FATFilesystem(FileBytes(file), at: 0)?.isDirty() == true)
        }
    }

    @Test func `A chain that runs in a circle ends`() async throws {
        try await with(16) { file in
            // Cluster 2, the first folder, is followed by itself.
            let reserved = 1 * 512
            _ = try file.writeAll(toAbsoluteOffset: Int64(reserved + 4), [2, 0])
            let fat = try #require(try FATFilesystem(FileBytes(file), at: 0))
            #expect(try fat.find(["loader", "nothing"]) == nil)
        }
    }

    @Test(arguments: [11, 13, 14, 16, 17, 22, 36, 44])
    func `Absurd numbers are read without harm`(place: Int) async throws {
        try await with(32) { file in
            for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                _ = try file.writeAll(toAbsoluteOffset: Int64(place), [value, value])
                if let fat = try FATFilesystem(FileBytes(file), at: 0) {
                    _ = try fat.find(["loader", "random-seed"])
                    _ = try fat.isDirty()
                }
            }
        }
    }
}
