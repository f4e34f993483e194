import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Verify

/// `image-factory verify`, as people call it.
@Suite struct VerifyCommandTests {
    /// The findings of the clean image where nothing is known of its definition.
    private static let undeclared = ["--waive", "H-06=a test", "--waive", "H-09=a test"]

    /// Runs the program with a store of its own, which must be as empty afterwards as it was.
    private func run(_ arguments: [String]) async throws -> CommandResult {
        try await Scratch.with { scratch in
            let command = Command(
                builtExecutable().string, ["verify"] + arguments, environment: ["XDG_CACHE_HOME": scratch.path.string])
            let result = try await CommandRunner().run(command)
            #expect(Scratch.names(scratch.path.appending("image-factory").appending("work")) == [])
            return result
        }
    }

    @Test func `A clean image ends with 0, one that breaks a rule with 1`() async throws {
        try await CleanImage.withCopy { disk in
            let clean = try await run([disk.string] + Self.undeclared)
            #expect(clean.ending == .exited(0), "\(clean.lastLines)")
            #expect(clean.text.contains("0 violations"))
            let broken = try await run([disk.string])
            #expect(broken.ending == .exited(1))
            #expect(broken.text.contains("H-06 /etc/shadow"))
            #expect(broken.text.contains("H-09 /home/admin/.ssh/authorized_keys"))
        }
    }

    @Test(arguments: ["qcow2", "vmdk", "vhdx", "vdi"])
    func `An image of another format is verified like the raw one`(format: String) async throws {
        try await CleanImage.withCopy { disk in
            let other = disk.removingLastComponent().appending("disk." + format)
            try await CommandRunner().runChecked(
                Command("qemu-img", ["convert", "-f", "raw", "-O", format, disk.string, other.string]),
                activity: "converting")
            let result = try await run([other.string] + Self.undeclared)
            #expect(result.ending == .exited(0), "\(result.lastLines)")
        }
    }

    @Test func `With --advisory findings are only told, also that no rule can read a disk`() async throws {
        try await CleanImage.withCopy { disk in
            let told = try await run([disk.string, "--advisory"])
            #expect(told.ending == .exited(0))
            #expect(told.text.contains("! H-06 /etc/shadow") && told.text.contains(" 0 violations"))
            let empty = disk.removingLastComponent().appending("empty.raw")
            try Scratch.write("", empty)
            #expect(truncate(empty.string, 1 << 20) == 0)
            #expect(try await run([empty.string]).ending == .exited(65))
            let unread = try await run([empty.string, "--advisory", "--format", "junit"])
            #expect(unread.ending == .exited(0), "\(unread.lastLines)")
            #expect(unread.text.contains("tests=\"1\" failures=\"0\""))
            #expect(unread.text.contains("name=\"unread\"") && unread.text.contains("the image cannot be verified"))
            let backed = disk.removingLastComponent().appending("backed.qcow2")
            try await CommandRunner().runChecked(
                Command(
                    "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk.string, backed.string]),
                activity: "preparing a test")
            #expect(try await run([backed.string, "--advisory"]).ending == .exited(65))
            #expect(try await run([disk.string, "--advisory", "--strict"]).ending == .exited(64))
        }
    }

    @Test func `Findings are printed as JSON and as JUnit`() async throws {
        try await CleanImage.withCopy { disk in
            let json = try await run([disk.string, "--format", "json"])
            let report = try Canonical.decode(VerifyReport.self, from: json.standardOutput)
            #expect(Set(report.violations.map(\.rule)) == ["H-06", "H-09"])
            let junit = try await run([disk.string, "--format", "junit"]).text
            #expect(junit.hasPrefix("<?xml"))
            #expect(junit.contains("tests=\"\(report.rules.count)\" failures=\"2\""))
            #expect(junit.split(separator: "<testcase").count == report.rules.count + 1)
        }
    }

    @Test func `What is no image is refused with 65, and what is not there with 66`() async throws {
        try await Scratch.with { scratch in
            let text = scratch.path.appending("text")
            try Scratch.write(String(repeating: "no image\n", count: 1000), text)
            #expect(try await run([text.string]).ending == .exited(65))
            let nothing = try await run([scratch.path.appending("nothing").string])
            #expect(nothing.ending == .exited(66))
        }
    }

    @Test func `An image with snapshots is read, and told of`() async throws {
        try await CleanImage.withCopy { disk in
            let image = disk.removingLastComponent().appending("disk.qcow2")
            for arguments in [
                ["convert", "-f", "raw", "-O", "qcow2", disk.string, image.string],
                ["snapshot", "-c", "before", image.string],
            ] {
                try await CommandRunner().runChecked(Command("qemu-img", arguments), activity: "making an image")
            }
            let result = try await run([image.string, "--format", "json"] + Self.undeclared)
            #expect(result.ending == .exited(1))
            let report = try Canonical.decode(VerifyReport.self, from: result.standardOutput)
            #expect(report.violations.map(\.rule) == ["H-55"])
        }
    }

    @Test func `Swap space of the image may be named by its id`() async throws {
        try await CleanImage.withCopy { disk in
            let id = "99999999-8888-7777-6666-555555555555"
            let bytes = id.filter { $0 != "-" }.compactMap(\.hexDigitValue)
            let packed = stride(from: 0, to: 32, by: 2).map { UInt8(bytes[$0] << 4 | bytes[$0 + 1]) }
            try await Edit.apply(
                [
                    .write("/etc/fstab", "UUID=\(CleanImage.uuid) / ext4 defaults 0 1\nUUID=\(id) none swap sw 0 0\n"),
                    .disk(CleanImage.swap + 1036, packed), .disk(CleanImage.swap + 4086, Array("SWAPSPACE2".utf8)),
                ], to: disk)
            #expect(try Verification(disk, policy: CleanImage.policy).run().findings == [])
        }
    }

    @Test func `An image that reads another file is refused, and shows nothing of it`() async throws {
        try await Scratch.with { scratch in
            let canary = scratch.path.appending("canary")
            try Scratch.write(String(repeating: "canary-canary\n", count: 1000), canary)
            let image = scratch.path.appending("image.raw")
            try await CommandRunner().runChecked(
                Command(
                    "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", canary.string, image.string, "1M"]),
                activity: "making an image")
            let result = try await run([image.string])
            #expect(result.ending == .exited(65))
            #expect(result.lastLines.contains { $0.contains("not safe to open") })
            #expect(!result.lastLines.contains { $0.contains("canary-canary") })
        }
    }

    @Test func `A waiver of what is no rule, or cannot be waived, is a mistake`() async throws {
        try await CleanImage.withCopy { disk in
            let unknown = try await run([disk.string, "--waive", "H-99=x"])
            #expect(unknown.ending == .exited(64))
            #expect(unknown.lastLines.contains { $0.contains("unknown rule 'H-99'") })
            #expect(try await run([disk.string, "--waive", "H-03=x"]).ending == .exited(64))
            #expect(try await run([disk.string, "--waive", "H-24="]).ending == .exited(64))
        }
    }

    @Test func `A filesystem that e2fsck complains of breaks a rule`() async throws {
        try await CleanImage.withCopy { disk in
            try await Edit.apply([.debugfs("ssv free_blocks_count 1"), .debugfs("freei <11>")], to: disk)
            let result = try await run([disk.string, "--format", "json"] + Self.undeclared)
            #expect(result.ending == .exited(1))
            let report = try Canonical.decode(VerifyReport.self, from: result.standardOutput)
            #expect(report.violations.contains { $0.rule == "H-52" }, "\(report.findings)")
        }
    }

    /// Any byte of the structures may be wrong: the program says what it thinks of it in good time.
    @Test(arguments: 0..<12)
    func `A damaged disk ends with a verdict`(seed: UInt64) async throws {
        try await CleanImage.withCopy { disk in
            var state = seed &* 7919 &+ 13
            for _ in 0..<(4 << (seed % 6)) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let place = state >> 33 & 1 == 0 ? CleanImage.root + (state >> 34) % (4 << 20) : (state >> 34) % 40_000
                try await Edit.apply([.disk(place, [UInt8(truncatingIfNeeded: state >> 50)])], to: disk)
            }
            let start = ContinuousClock.now
            let result = try await run([disk.string])
            #expect([.exited(1), .exited(65)].contains(result.ending), "\(result.lastLines)")
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }
}
