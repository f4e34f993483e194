import DiskFormats
import Engine
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct ConvertStepTests {
    /// Runs the step on a disk of 40 MiB with data at its start and at its end; returns the events of progress.
    private func convert(_ compression: Output.Compression, in folder: FilePath) async throws -> [(UInt64, UInt64?)] {
        let disk = folder.appending("disk.raw")
        let file = try FileDescriptor.open(disk, .writeOnly, options: .create, permissions: .init(rawValue: 0o644))
        try file.closeAfter {
            try file.resize(to: 40 << 20)
            try file.writeAll(toAbsoluteOffset: 100, Array("boot".utf8))
            try file.writeAll(toAbsoluteOffset: 39 << 20, Array("end".utf8))
        }
        for name in ["out", "scratch"] { mkdir(folder.appending(name).string, 0o755) }
        chmod(folder.string, 0o755)
        let seen = Mutex<[(UInt64, UInt64?)]>([])
        let context = StepContext(
            inputs: ["disk": disk], output: folder.appending("out"), scratch: folder.appending("scratch"),
            report: StepReport(step: "convert") { event in
                guard case .progress(_, let done, let total, nil) = event else { return }
                seen.withLock { $0.append((done, total)) }
            })
        let runner = CommandRunner(helper: builtExecutable())
        let environment = StepEnvironment(
            runner: runner, tools: ToolInventory(runner: runner), executable: builtExecutable(), packages: folder,
            lock: nil, cache: folder, logs: folder, mirrors: [:], localFiles: [:], bootLimit: .seconds(1))
        try await ConvertStep(output: Output(.qcow2, compression: compression), environment: environment)
            .run(in: context)
        return seen.withLock { $0 }
    }

    @Test(arguments: Output.Compression.allCases)
    func `A disk becomes a qcow2 file, with its digest and size beside it`(compression: Output.Compression) async throws
    {
        try await Scratch.with { scratch in
            let progress = try await convert(compression, in: scratch.path)
            let file = scratch.path.appending("out/disk.qcow2")
            let record = try Canonical.decode(
                DigestRecord.self, from: try RepositoryFiles.bytes(scratch.path.appending("out/digest.json")))
            #expect(record.digest == Digest(of: try RepositoryFiles.bytes(file)))
            #expect(record.size == ByteCount(UInt64(try RepositoryFiles.bytes(file).count)))
            #expect(record.allocated < record.size)
            // What is not compressed is told when 4 MiB of the file are written.
            let first: [UInt64] = compression == .uncompressed ? [] : [131_072]
            #expect(progress.map(\.0) == first + [(39 << 20) + 131_072, 40 << 20])
            #expect(progress.allSatisfy { $0.1 == 40 << 20 })
            let compare = Command(
                "qemu-img",
                [
                    "compare", "-f", "raw", "-F", "qcow2", scratch.path.appending("disk.raw").string, file.string,
                ])
            let result = try await CommandRunner().run(compare)
            #expect(result.succeeded, "\(result.lastLines)")
        }
    }
}
