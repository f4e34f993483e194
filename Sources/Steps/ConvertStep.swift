import Engine
import Model
import SystemPackage
import Tooling

/// Writes a disk as a compressed qcow2 file with its digest: the program itself does it inside a containment without
/// network.
struct ConvertStep {
    let output: Output
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(onFilesOf: context)
        work.bind(try context.input("disk"), "/mnt/in/disk.raw")
        let inside = ConvertInside(compression: output.compression)
        try await InsideProgram.run(.convert(inside), work: work, environment: environment, context: context)
    }
}

/// Compresses a tree by zstd.
struct PackStep {
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        try Containment.handOver(context.output)
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: try context.input("tree"), target: "/mnt/in/tree.tar", writable: false),
                .init(source: context.output, target: "/mnt/out", writable: true),
            ])
        // One frame whatever the number of threads is: the same tree gives the same file.
        let command = Command(
            "zstd", ["-q", "-6", "-T0", "/mnt/in/tree.tar", "-o", "/mnt/out/tree.tar.zst"], containment: containment)
        try await environment.runner.runChecked(command, activity: "packing the tree") { _, line in
            context.report.log(line)
        }
    }
}
