import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Writes a finished disk in a format of other hypervisors.
struct ExportStep {
    let format: ImageFormat
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let disk = try context.input("disk")
        var facts = stat()
        guard stat(disk.string, &facts) == 0 else { throw Errno(rawValue: errno) }
        try Containment.handOver(context.output)
        let tool = ImageTool(environment: environment, context: context)
        try await tool.write(disk, as: format, into: context.output)
        let result = context.output.appending("disk." + format.rawValue)
        try await tool.check(result, format, size: ByteCount(UInt64(facts.st_size)))
        try DigestRecord.write(try await FileDigest.compute(result), of: result, into: context.output)
    }
}
