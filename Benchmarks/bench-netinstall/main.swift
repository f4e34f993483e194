import Engine
import Filesystems
import Glibc
import Model
import Steps
import SystemPackage
import Tooling

// What follows an installation on its disk, as a build runs it but for the store: see scripts/bench-netinstall-post.
//
//   bench-netinstall PROGRAM FOLDER      FOLDER/install/disk.raw is the disk, which is changed; prints the seconds of each part

/// Runs one step into a folder of its own and prints how long it took.
func perform(
    _ action: Action, _ name: String, inputs: [String: FilePath], in folder: FilePath, _ executor: StepExecutor
) async throws -> FilePath {
    let (output, scratch) = (folder.appending(name), folder.appending(name + "-scratch"))
    for path in [output, scratch] { guard mkdir(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) } }
    let step = try Step(name: name, action: action, inputs: [:], tools: [:], after: [])
    let context = StepContext(
        inputs: inputs, output: output, scratch: scratch,
        report: StepReport(step: name) { event in
            if case .warning(_, let text) = event { print("warning: \(text)") }
        })
    let start = ContinuousClock.now
    try await executor.run(step, in: context)
    print("\(name) \((ContinuousClock.now - start) / .seconds(1))")
    return output
}

/// What the store does with results.
func keep(_ result: FilePath) {
    chown(result.appending("disk.raw").string, 0, 0)
    chmod(result.appending("disk.raw").string, 0o444)
}

let words = CommandLine.arguments.dropFirst().map { FilePath($0) }
guard words.count == 2 else {
    print("usage: bench-netinstall PROGRAM FOLDER")
    exit(64)
}
let folder = words[1]
let runner = CommandRunner(helper: words[0])
let environment = StepEnvironment(
    runner: runner, tools: ToolInventory(runner: runner), executable: words[0], packages: folder, lock: nil,
    cache: folder, logs: folder, mirrors: [:], localFiles: [:], bootLimit: .seconds(1))
let executor = StepExecutor(environment)
let installed = folder.appending("install")
let start = ContinuousClock.now
try await InstalledDiskSealing(environment).run(
    in: StepContext(
        inputs: [:], output: installed, scratch: folder, report: StepReport(step: "install") { _ in }))
print("seal in place \((ContinuousClock.now - start) / .seconds(1))")
keep(installed)
let sealed = try await perform(
    .seal(SealAction(partitions: .linux)), "seal", inputs: ["disk": installed.appending("disk.raw")], in: folder,
    executor)
keep(sealed)
_ = try await perform(
    .convert(Output(.qcow2, compression: .uncompressed)), "convert",
    inputs: ["disk": sealed.appending("disk.raw")], in: folder, executor)
// All operations on what the first step made, whose root begins at 1 MiB.
let restart = ContinuousClock.now
let editor = try Ext4Editor(sealed.appending("disk.raw"), offset: 1 << 20)
_ = try ResetOperations(editor, .defaults, makesHostKeyUnit: true).run()
try editor.flush()
print("reset \((ContinuousClock.now - restart) / .seconds(1))")
