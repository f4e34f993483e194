import Engine
import Model
import SystemPackage
import Tooling

/// Writes a disk in another format by qemu-img, in a containment without network, with both formats named.
struct ConvertStep {
    let output: Output
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        try Containment.handOver(context.output)
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: try context.input("disk"), target: "/mnt/in/disk.raw", writable: false),
                .init(source: context.output, target: "/mnt/out", writable: true),
            ])
        let command = Command(
            "qemu-img",
            [
                // Without -W: clusters in order, so that the same disk gives the same file.
                "convert", "-p", "-f", "raw", "-O", output.format.rawValue, "-c",
                "-o", "compat=1.1,cluster_size=128k,compression_type=\(output.compression.rawValue)",
                "/mnt/in/disk.raw", "/mnt/out/disk.\(output.format.rawValue)",
            ], containment: containment)
        try await environment.runner.runChecked(
            command, activity: "converting to \(output.format.rawValue)"
        ) { _, line in
            if let percent = Self.percent(line) {
                context.report.progress(percent, of: 100, unit: "%")
            } else {
                context.report.log(line)
            }
        }
    }

    /// From `    (12.34/100%)`.
    static func percent(_ line: String) -> UInt64? {
        guard let open = line.firstIndex(of: "("), line.hasSuffix("/100%)") else { return nil }
        guard let number = Double(line[line.index(after: open)...].prefix { $0 != "/" }), (0...100).contains(number)
        else { return nil }
        return UInt64(number)
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
