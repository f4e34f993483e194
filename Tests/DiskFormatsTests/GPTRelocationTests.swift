import SystemPackage
import Testing

@testable import DiskFormats

@Suite struct GPTRelocationTests {
    /// A disk of 64 MiB with two partitions, made by sfdisk.
    private static let script = "label: gpt\nstart=2048, size=4096, name=one\nstart=8192, size=65536, name=two\n"

    private func disk(in folder: ScratchFolder, script: String = script) throws -> FileDescriptor {
        let path = folder.path.appending("disk.raw")
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.setSize(64 << 20)
        try Program.run("/sbin/sfdisk", ["--quiet", path.string], input: script)
        return file
    }

    @Test(arguments: [256 << 20, 40 << 20, 64 << 20 | 512] as [UInt64])
    func `The second copy of the table stands at the new end`(size: UInt64) throws {
        try ScratchFolder.with { folder in
            let file = try disk(in: folder)
            defer { try? file.close() }
            let before = try PartitionTable.read(file).partitions
            if size > 64 << 20 { try file.setSize(Int64(size)) }
            #expect(try GPTRelocation.fit(file, to: size) == .moved)
            try file.setSize(Int64(size))
            let table = try PartitionTable.read(file)
            #expect(table.partitions == before)
            #expect(table.problems == [])
            #expect(try GPTRelocation.fit(file, to: size) == .inPlace)
            if Program.exists("/sbin/sgdisk") {
                let said = try Program.run("/sbin/sgdisk", ["--verify", folder.string("disk.raw")])
                #expect(said.contains("No problems found"))
            }
            #expect(try FileBytes(file).bytes(at: (64 << 20) - 512, count: 8).has("EFI PART") == false)
        }
    }

    @Test func `A disk that would end within a partition is refused and left as it is`() throws {
        try ScratchFolder.with { folder in
            let file = try disk(in: folder)
            defer { try? file.close() }
            let before = try FileBytes(file).bytes(at: 0, count: 34 * 512)
            #expect(throws: FileAccessError.self) { try GPTRelocation.fit(file, to: 36 << 20) }
            #expect(try FileBytes(file).bytes(at: 0, count: 34 * 512) == before)
        }
    }

    @Test func `A disk without a GPT, and a damaged one, are left alone`() throws {
        try ScratchFolder.with { folder in
            let file = try disk(in: folder, script: "label: dos\nstart=2048, size=4096\n")
            defer { try? file.close() }
            #expect(try GPTRelocation.fit(file, to: 128 << 20) == .noTable)
            let table = try disk(in: folder)
            defer { try? table.close() }
            var random = RepeatableNumbers(state: 7)
            for offset in 520..<604 {
                var byte = random.bytes(1)
                let old = try FileBytes(table).bytes(at: UInt64(offset), count: 1).content
                byte[0] ^= old[0]
                try byte.withUnsafeBytes { try table.writeFully(at: Int64(offset), $0) }
                guard case .damaged = try GPTRelocation.fit(table, to: 128 << 20) else {
                    Issue.record("byte \(offset) was not noticed")
                    continue
                }
                try old.withUnsafeBytes { try table.writeFully(at: Int64(offset), $0) }
            }
        }
    }
}
