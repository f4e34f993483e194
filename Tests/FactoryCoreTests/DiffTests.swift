import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import FactoryCore

@Suite struct DiffTests {
    private static let size = 3 << 20

    /// Two raw disks of random-looking bytes that are the same, in a folder with everything else.
    private func with(_ body: (Factory, FilePath) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let runner = CommandRunner(helper: builtExecutable())
            let factory = Factory(
                store: scratch.path.appending("store"), runner: runner, tools: ToolInventory(runner: runner),
                executable: builtExecutable(), clock: WallClock { 1_763_300_000 }, environment: [:])
            let bytes = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
            try write(bytes, scratch.path.appending("one.raw"))
            try write(bytes, scratch.path.appending("other.raw"))
            try await body(factory, scratch.path)
            #expect(Scratch.names(scratch.path.appending("store").appending("work")).isEmpty)
        }
    }

    private func write(_ bytes: [UInt8], at offset: Int64 = 0, _ path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: offset, bytes) }
    }

    private func diff(_ factory: Factory, _ folder: FilePath, _ one: String, _ other: String) async throws -> DiffReport
    {
        try await factory.diff(folder.appending(one), folder.appending(other), limit: 1) { _ in }
    }

    @Test func `The same disk in two files is the same`() async throws {
        try await with { factory, folder in
            let report = try await diff(factory, folder, "one.raw", "other.raw")
            #expect(report.isEqual)
            #expect(report.filesAreEqual)
        }
    }

    @Test(arguments: ["qcow2", "vmdk", "vpc"])
    func `What guests see is compared, whatever the format`(format: String) async throws {
        try await with { factory, folder in
            let name = format == "vpc" ? "other.vhd" : "other.\(format)"
            let force = format == "vpc" ? ["-o", "force_size=on"] : []
            func convert() async throws {
                try await CommandRunner().runChecked(
                    Command(
                        "qemu-img",
                        ["convert", "-f", "raw", "-O", format] + force
                            + [folder.appending("other.raw").string, folder.appending(name).string]),
                    activity: "converting")
            }
            try await convert()
            let report = try await diff(factory, folder, "one.raw", name)
            #expect(report.isEqual)
            #expect(!report.filesAreEqual)
            #expect(report.second.format == (format == "vpc" ? "vhd" : format))
            try write([0xff, 0xfe], at: 1_000_000, folder.appending("other.raw"))
            try await convert()
            let changed = try await diff(factory, folder, "one.raw", name)
            #expect(!changed.isEqual)
            #expect(changed.regions.map(\.offset) == [1_000_000 / 512 * 512])
            #expect(changed.regions.first?.sample?.offset == 1_000_000)
        }
    }

    @Test func `Disks of different sizes differ`() async throws {
        try await with { factory, folder in
            #expect(truncate(folder.appending("other.raw").string, off_t(Self.size + 512)) == 0)
            let report = try await diff(factory, folder, "one.raw", "other.raw")
            #expect(!report.isEqual)
            #expect(report.notes == ["the disks have different sizes: \(Self.size) and \(Self.size + 512) bytes"])
        }
    }

    @Test func `Tar files are compared with tar files only`() async throws {
        try await with { factory, folder in
            for (name, options) in [("a.tar", []), ("b.tar.zst", ["--zstd"])] as [(String, [String])] {
                try await CommandRunner().runChecked(
                    Command(
                        "tar", options + ["-C", folder.string, "-cf", folder.appending(name).string, "one.raw"]),
                    activity: "packing")
            }
            let report = try await diff(factory, folder, "a.tar", "b.tar.zst")
            #expect(report.isEqual)
            #expect(!report.filesAreEqual)
            #expect(report.equalEntries == 1)
            let error = await #expect(throws: FactoryError.self) { try await diff(factory, folder, "one.raw", "a.tar") }
            #expect(error?.code == .definition)
            #expect(error?.message.contains("a.tar is an archive and") == true)
        }
    }

    @Test func `What cannot be read or is not safe is refused with one line`() async throws {
        try await with { factory, folder in
            let missing = await #expect(throws: FactoryError.self) {
                try await diff(factory, folder, "one.raw", "none.raw")
            }
            #expect(missing?.code == .missingInput)
            try await CommandRunner().runChecked(
                Command(
                    "qemu-img",
                    [
                        "create", "-q", "-f", "qcow2", "-F", "raw", "-b", folder.appending("one.raw").string,
                        folder.appending("backed.qcow2").string,
                    ]), activity: "making an image")
            let backed = await #expect(throws: FactoryError.self) {
                try await diff(factory, folder, "one.raw", "backed.qcow2")
            }
            #expect(backed?.code == .definition)
            #expect(backed?.message.contains("is not safe to open") == true)
            try write([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4], folder.appending("a.tar.zst"))
            let damaged = await #expect(throws: FactoryError.self) {
                try await diff(factory, folder, "a.tar.zst", "a.tar.zst")
            }
            #expect(damaged?.code == .definition)
            #expect(
                damaged?.message
                    == "the archives cannot be compared: the first archive cannot be read: its compressed data are damaged"
            )
        }
    }
}
