import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Transfer

@Suite struct DecompressorTests {
    private static let runner = CommandRunner(helper: builtExecutable(), proxies: [:])

    /// A file with so many bytes, packed, and a folder for what comes out.
    private static func with(
        _ format: Decompressor.Format, zeros: Int = 0,
        _ body: (_ packed: FilePath, _ folder: FilePath) async throws -> Void
    ) async throws {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            let (plain, folder) = (scratch.path.appending("plain"), scratch.path.appending("out"))
            try Scratch.write("some text\n", plain)
            if zeros > 0, truncate(plain.string, zeros) != 0 { throw Errno(rawValue: errno) }
            mkdir(folder.string, 0o755)
            let program = ["xz": "xz", "gz": "gzip", "zst": "zstd", "bz2": "bzip2"][format.rawValue] ?? ""
            try await runner.runChecked(Command(program, ["-k", plain.string]), activity: "preparing a test")
            try await body(FilePath(plain.string + "." + format.rawValue), folder)
        }
    }

    @Test(arguments: Decompressor.Format.allCases)
    func `A file is unpacked, and known by its first bytes`(format: Decompressor.Format) async throws {
        try await Self.with(format) { packed, folder in
            #expect(Decompressor.Format(try RepositoryFiles.bytes(packed)) == format)
            let file = try await Decompressor(runner: Self.runner).unpack(packed, format: format, into: folder)
            #expect(try Scratch.read(file) == "some text\n")
            #expect(Scratch.names(folder) == ["file"])
        }
    }

    @Test(arguments: Decompressor.Format.allCases)
    func `A file that holds too much is given up`(format: Decompressor.Format) async throws {
        try await Self.with(format, zeros: 8 << 20) { packed, folder in
            let limits = Decompressor.Limits(size: .mebi(4))
            let error = await #expect(throws: FactoryError.self) {
                _ = try await Decompressor(runner: Self.runner, limits: limits).unpack(
                    packed, format: format, into: folder)
            }
            #expect(error?.message == "\(packed) holds more than 4.0 MiB")
        }
    }

    @Test(arguments: Decompressor.Format.allCases)
    func `A damaged file is refused`(format: Decompressor.Format) async throws {
        try await Self.with(format) { packed, folder in
            #expect(truncate(packed.string, 20) == 0)
            let error = await #expect(throws: FactoryError.self) {
                _ = try await Decompressor(runner: Self.runner).unpack(packed, format: format, into: folder)
            }
            #expect(error?.message.hasPrefix("cannot unpack \(packed): ") == true)
        }
    }

    @Test func `How much may come out depends on what goes in`() {
        let limits = Decompressor.Limits(size: .gibi(64), ratio: 1000)
        #expect(limits.most(of: 10) == .gibi(1))
        #expect(limits.most(of: 4_000_000) == ByteCount(4_000_000_000))
        #expect(limits.most(of: 1 << 40) == .gibi(64))
        #expect(limits.most(of: .max) == .gibi(64))
    }
}
