import Engine
import Model
import SystemPackage
import Tooling

/// qemu-img in a containment that has one file to read and one folder to write.
struct ImageTool {
    let environment: StepEnvironment
    let context: StepContext

    func run(_ arguments: [String], reading image: FilePath?, writing folder: FilePath?) async throws {
        let binds =
            (image.map { [Containment.Bind(source: $0, target: "/mnt/in/image")] } ?? [])
            + (folder.map { [Containment.Bind(source: $0, target: "/mnt/out", writable: true)] } ?? [])
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64), binds: binds,
            limits: .init(addressSpace: .gibi(4), processorTime: .seconds(3600)))
        try await environment.runner.runChecked(
            Command("qemu-img", arguments, containment: containment), activity: "running qemu-img"
        ) { _, line in context.report.log(line) }
    }

    /// Writes a raw disk as `disk.FORMAT` into a folder.
    func write(_ raw: FilePath, as format: ImageFormat, into folder: FilePath) async throws {
        try await run(
            ["convert", "-f", "raw", "-O", format.driver] + format.options
                + ["/mnt/in/image", "/mnt/out/disk.\(format.rawValue)"], reading: raw, writing: folder)
    }

    /// What was written is what was asked for, and sound as far as the format can tell.
    ///
    /// - Parameter size: that a guest must see; nil: any.
    func check(_ result: FilePath, _ format: ImageFormat, size: ByteCount?) async throws {
        switch format {
        case .qcow2, .vhdx, .vdi, .vmdk:
            try await run(["check", "-q", "-f", format.driver, "/mnt/in/image"], reading: result, writing: nil)
        case .raw, .vhd: break
        }
        let facts = try await ImageInspection(runner: environment.runner, executable: environment.executable).inspect(
            result, claimed: format.rawValue)
        guard let size, facts.virtualSize != size else { return }
        throw FactoryError(
            .failed, "the disk has \(facts.virtualSize.bytes) bytes, not \(size.bytes)",
            remedy: "choose a size that \(format.rawValue) can have")
    }
}

extension ImageFormat {
    /// What qemu-img needs for the format to be the one that is meant.
    var options: [String] {
        switch self {
        case .qcow2: ["-o", "compat=v3"]
        // Without it the size is rounded to a geometry.
        case .vhd: ["-o", "subformat=dynamic,force_size=on"]
        case .raw, .vmdk, .vhdx, .vdi: []
        }
    }
}
