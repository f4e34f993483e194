import DiskFormats
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
        let report: ResetReport
        if let done = try await resetOfGuest(context) { report = done } else { report = try await resetOnHost(context) }
        let count = report.operations.reduce(0) { $0 + $1.removed.count + $1.emptied.count + $1.changed.count }
        context.report.log("\(report.operations.count) operations changed \(count) files and folders")
        for folder in report.elsewhere ?? [] {
            context.report.warn("\(folder) is on a filesystem of its own, where nothing was reset")
        }
    }

    /// What a guest that was set up before has reset itself; nil if that is for the host to do.
    private func resetOfGuest(_ context: StepContext) async throws -> ResetReport? {
        guard let setup = context.inputs["setup"],
            let done = try Canonical.decode(CloudSetupRecord.self, from: SmallFile.read(setup)).reset
        else { return nil }
        let disk = try context.input("disk")
        let copy = context.output.appending("disk.raw")
        do {
            try await BlockingWork.run { checkCancellation in
                _ = try SparseFile.copy(from: disk, to: copy) { _, _ in try checkCancellation() }
            }
        } catch let error as FileAccessError {
            throw FactoryError(.inputOutput, "the image cannot be copied: \(error)")
        }
        let report = ResetReport(operations: done)
        try WholeFile.write(try Canonical.text(report), context.output.appending(ResetInside.record))
        return report
    }

    private func resetOnHost(_ context: StepContext) async throws -> ResetReport {
        var work = try ContainedWork(onFilesOf: context)
        work.limit(.init(addressSpace: .gibi(4), processorTime: .seconds(600)))
        work.bind(try context.input("disk"), ResetInside.disk.string)
        try await InsideProgram.run(
            .reset(ResetInside(operations: action.operations, makesHostKeyUnit: action.makesHostKeyUnit)), work: work,
            environment: environment, context: context, untrusted: "the image's filesystem")
        return try Canonical.decode(
            ResetReport.self, from: try SmallFile.read(context.output.appending(ResetInside.record)))
    }
}
