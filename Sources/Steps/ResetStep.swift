import Engine
import Model
import SystemPackage
import Tooling

/// Takes from a copy of a disk what belongs to one instance, without mounting it: the program itself does it inside a
/// containment without network and with limits, since the disk holds whatever a guest wrote.
struct ResetStep {
    let action: ResetAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(onFilesOf: context)
        work.limit(.init(addressSpace: .gibi(4), processorTime: .seconds(600)))
        work.bind(try context.input("disk"), ResetInside.disk.string)
        try await InsideProgram.run(
            .reset(ResetInside(operations: action.operations, makesHostKeyUnit: action.makesHostKeyUnit)), work: work,
            environment: environment, context: context, untrusted: "the image's filesystem")
        let report = try Canonical.decode(
            ResetReport.self,
            from: try SmallFile.read(context.output.appending(ResetInside.record)))
        let count = report.operations.reduce(0) { $0 + $1.removed.count + $1.emptied.count + $1.changed.count }
        context.report.log("\(report.operations.count) operations changed \(count) files and folders")
    }
}
