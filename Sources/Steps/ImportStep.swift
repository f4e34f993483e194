import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Brings a disk image that somebody else made into another format and size, or makes an empty disk.
///
/// Nothing is believed of the input: its header is read in a containment, a wrong claim and whatever leads out of the file
/// is refused, and the tools that read it see nothing else and write into one folder.
struct ImportStep {
    /// Not by the store's path, which nobody knows.
    static let inputName = "the input image"

    let action: ImportAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        let work = context.scratch.appending("work")
        try makeFolder(work)
        let result = context.output.appending(action.file)
        try Containment.handOver(context.output)
        if let input = action.input {
            guard let path = environment.sources[input] else {
                throw FactoryError(.internal, "the input \(input) was not fetched")
            }
            let raw = try await rawDisk(of: path, in: work, context)
            try await finish(raw, in: work, as: result, context)
        } else {
            try await stage(.creating) { try await create(in: context) }
        }
        try await stage(.checking) {
            try await tool(context).check(result, action.format, size: action.size)
        }
        try DigestRecord.write(try await FileDigest.compute(result), of: result, into: context.output)
    }

    private func stage<Value>(_ stage: ImportStage, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as FactoryError {
            error.activity = stage.rawValue
            throw error
        }
    }

    private func makeFolder(_ path: FilePath) throws {
        guard mkdir(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        try Containment.handOver(path)
    }

    // MARK: the input

    /// The disk as a raw file of the size that is wanted.
    private func rawDisk(of path: FilePath, in work: FilePath, _ context: StepContext) async throws -> FilePath {
        let image = try await stage(.unpacking) {
            try await UnpackedImage(environment: environment, context: context).file(of: path, for: action)
        }
        let facts = try await stage(.inspecting) {
            try await ImageInspection(runner: environment.runner, executable: environment.executable).inspect(
                image, as: Self.inputName, claimed: action.claimed?.rawValue,
                accepted: Set(ImageFormat.allCases.map(\.rawValue)))
        }
        context.report.log("the input is \(facts.format) with a disk of \(facts.virtualSize.bytes) bytes")
        if let size = action.size, size < facts.virtualSize, !action.mayShrink {
            throw FactoryError(
                .definition,
                "the size \(size.bytes) is less than the input's, \(facts.virtualSize.bytes): that would cut it off",
                remedy:
                    "choose a size from \(facts.virtualSize.bytes) bytes, or allow it: allow_shrink, --allow-shrink",
                activity: ImportStage.resizing.rawValue)
        }
        try await stage(.converting) {
            try await tool(context).run(
                ["convert", "-f", facts.driver, "-O", "raw", "/mnt/in/image", "/mnt/out/disk.raw"],
                reading: image, writing: work)
        }
        if let size = action.size { try await resize(to: size, in: work, context) }
        return work.appending("disk.raw")
    }

    private func resize(to size: ByteCount, in work: FilePath, _ context: StepContext) async throws {
        try await stage(.resizing) {
            var contained = ContainedWork(
                within: .init(addressSpace: .gibi(4), processorTime: .seconds(600)))
            contained.bind(work, "/mnt/out", writable: true)
            try await InsideProgram.run(
                .resize(ResizeInside(size: size)), work: contained, environment: environment, context: context)
        }
    }

    // MARK: the result

    private func finish(
        _ raw: FilePath, in work: FilePath, as result: FilePath, _ context: StepContext
    ) async throws {
        guard action.format != .raw else {
            guard rename(raw.string, result.string) == 0 else { throw Errno(rawValue: errno) }
            return
        }
        try await stage(.converting) {
            try await tool(context).write(raw, as: action.format, into: context.output)
        }
    }

    private func create(in context: StepContext) async throws {
        guard let size = action.size else {
            throw FactoryError(.definition, "an empty disk needs a size", remedy: "give it one, such as 10G")
        }
        try await tool(context).run(
            ["create", "-q", "-f", action.format.driver] + action.format.options
                + ["/mnt/out/\(action.file)", "\(size.bytes)"], reading: nil, writing: context.output)
    }

    private func tool(_ context: StepContext) -> ImageTool {
        ImageTool(environment: environment, context: context)
    }
}
