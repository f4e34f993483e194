import Glibc
import Model
import Steps
import Synchronization
import SystemPackage
import Tooling

/// A machine whose disk starts as an image and is kept between its boots.
struct Instance {
    /// What a boot has to come to.
    enum Goal {
        /// All of these texts have been on the serial console.
        case says([String])
        case powersOff
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let inside = "/mnt/machine"

    private let image: FilePath
    private let folder: TemporaryFolder
    private let tools = ToolInventory(runner: ProgramUnderTest.runner)
    private let hasPackages: Bool

    /// - Parameters:
    ///   - seed: cloud-init's user data.
    ///   - size: of the disk, as qemu-img reads it.
    ///   - packages: a folder that the guest gets as a read-only volume of the name `packages`.
    init(
        of image: FilePath, seed: String, size: String, packages: TemporaryFolder? = nil, in folder: TemporaryFolder
    ) async throws {
        self.image = image
        self.folder = folder
        hasPackages = packages != nil
        let source = try folder.makeFolder("cidata")
        try source.write(seed, to: "user-data")
        try source.write("instance-id: e2e-1\nlocal-hostname: instance\n", to: "meta-data")
        try await makeISO("seed.iso", label: "cidata", of: source)
        if let packages { try await makeISO("packages.iso", label: "packages", of: packages) }
        let options = ["-q", "-f", "qcow2", "-F", "qcow2", "-b", image.string]
        let overlay = folder.path.appending("disk.qcow2")
        try await ProgramUnderTest.runner.runChecked(
            Command("qemu-img", ["create"] + options + [overlay.string, size]), activity: "making a disk")
        try await ProgramUnderTest.runner.runChecked(
            Command("cp", [try tools.require(.uefiFirmware)[1].string, folder.path.appending("variables.fd").string]),
            activity: "copying the firmware's variables")
        for path in [folder.path] + folder.names.map({ folder.path.appending($0) }) {
            try Containment.handOver(path)
        }
    }

    private func makeISO(_ name: String, label: String, of source: TemporaryFolder) async throws {
        let output = folder.path.appending(name).string
        let options = ["-as", "mkisofs", "-quiet", "-V", label, "-J", "-R", "-o", output]
        try await ProgramUnderTest.runner.runChecked(
            Command("xorriso", options + [source.path.string]), activity: "making the volume \(label)")
    }

    /// Boots until the goal is reached and returns what was on the console. A machine that runs on is switched off.
    func boot(_ firmware: GuestImage.Firmware, until goal: Goal, within limit: Duration) async throws -> Console {
        let evidence = try folder.makeFolder("evidence-\(getpid())-\(ContinuousClock.now.hashValue)")
        for socket in ["monitor.sock", "serial.sock"] { unlink(folder.path.appending(socket).string) }
        let machine = VirtualMachine(
            machine: try machine(firmware), program: try tools.require(.qemuSystem)[0].string,
            binds: [Containment.Bind(source: image, target: "/mnt/image")], folder: folder.path,
            evidence: evidence.path)
        let console = Console()
        return try await machine.withRunning(by: ProgramUnderTest.runner, onSerial: { console.append($0) }) { guest in
            let deadline = ContinuousClock.now + limit
            while true {
                let isRunning = guest.isRunning
                switch goal {
                case .says(let texts) where texts.allSatisfy { console.text.contains($0) }: return console
                case .powersOff where !isRunning: return console
                default: break
                }
                guard isRunning, ContinuousClock.now < deadline else {
                    let cause = isRunning ? "took longer than \(limit)" : "ended"
                    throw Failure(
                        description:
                            "the guest \(cause) before it reached its goal \(goal):\n\(console.lines(before: "failed"))"
                    )
                }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func machine(_ firmware: GuestImage.Firmware) throws -> Machine {
        func disk(_ name: String, _ format: Machine.DiskFormat, base: Machine.Disk.Base? = nil) -> Machine.Disk {
            Machine.Disk(file: Self.inside + "/" + name, format: format, base: base)
        }
        let code = try tools.require(.uefiFirmware)[0].string
        let packages = hasPackages ? [disk("packages.iso", .raw)] : []
        return Machine(
            accelerator: .tcg,
            firmware: firmware == .bios ? .bios : .uefi(code: code, variables: Self.inside + "/variables.fd"),
            disks: [disk("disk.qcow2", .qcow2, base: Machine.Disk.Base(file: "/mnt/image", format: .qcow2))] + packages,
            seed: Self.inside + "/seed.iso", folder: Self.inside, endsAtReboot: true)
    }
}

/// What a guest has written to its serial console so far.
final class Console: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func append(_ more: [UInt8]) { bytes.withLock { $0 += more } }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    /// The value of the last complete line `E2E name=value`.
    subscript(name: String) -> String? {
        let mark = "E2E \(name)="
        let line = text.split(whereSeparator: \.isNewline).last { $0.contains(mark) }
        return line?.split(separator: mark, maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init)
    }

    /// The last lines before the mark of this name, or of all.
    func lines(before name: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
        return lines.prefix { !$0.contains("E2E \(name)=") }.suffix(40).joined(separator: "\n")
    }

    /// A function for the guest's shell scripts: `mark NAME VALUE` writes such a line. The serial port itself is hung
    /// up when its login prompt starts, and what then writes to it fails; the console stays.
    static let mark = "mark() { printf '\\nE2E %s=%s\\n' \"$1\" \"$2\" > /dev/console; }"
}
