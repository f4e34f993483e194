import FoundationEssentials
import Glibc
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

private let runner = CommandRunner(helper: builtExecutable())
private let tools = ToolInventory(runner: runner)

@Suite(.serialized, .timeLimit(.minutes(1))) struct AcceleratorProbeTests {
    @Test(arguments: [true, false]) func `The firmware passes all its stages without KVM`(isContained: Bool)
        async throws
    {
        let probe = AcceleratorProbe(runner: runner, tools: tools, isContained: isContained)
        let seen = try await probe.run(.tcg, in: "/tmp")
        #expect(seen == .init(marks: ProbeFirmware.marks, status: ProbeFirmware.status, complaint: nil))
        #expect(probe.judge(seen).accelerator == .kvm)
    }

    @Test func `The firmware is 64 KiB and ends with the reset vector`() {
        let image = ProbeFirmware.image
        #expect(image.count == 64 << 10)
        #expect(image.suffix(16).prefix(4) == [0xe9, 0x0d, 0xf0, 0])
    }

    @Test(.enabled(if: access("/usr/bin/as", X_OK) == 0)) func `The embedded code is that of the source`() async throws
    {
        let root = FilePath(#filePath).removingLastComponent().appending("../../..")
        let result = try await runner.run(Command(root.appending("scripts/probe-firmware.sh").string))
        let source = try #require(readFile(root.appending("Sources/Steps/QEMU/ProbeFirmwareCode.swift")))
        #expect(result.standardOutput == source)
    }

    @Test func `Without a device there is no KVM`() async throws {
        let probe = AcceleratorProbe(runner: runner, tools: tools, device: "/nonexistent/kvm")
        let verdict = await probe.verdict(cache: nil, scratch: "/tmp")
        #expect(verdict == AcceleratorVerdict(accelerator: .tcg, reason: "/nonexistent/kvm does not exist"))
    }

    @Test func `A device that cannot be opened is named`() async throws {
        let probe = AcceleratorProbe(runner: runner, tools: tools, device: "/dev")
        let verdict = await probe.verdict(cache: nil, scratch: "/tmp")
        #expect(verdict.accelerator == .tcg)
        #expect(verdict.reason == "/dev cannot be opened: Is a directory")
    }

    @Test func `A firmware that stops in the middle speaks for TCG`() {
        let probe = AcceleratorProbe(runner: runner, tools: tools)
        let verdict = probe.judge(.init(marks: "RPL", status: nil, complaint: "KVM internal error. Suberror: 1"))
        #expect(verdict.accelerator == .tcg)
        #expect(
            verdict.reason
                == "KVM is broken here: a test firmware stopped after 3 of 9 stages (KVM internal error. Suberror: 1)")
    }

    @Test(arguments: [true, false]) func `The verdict comes within three seconds and is kept`(
        isContained: Bool
    ) async throws {
        try await withTemporaryFolder { folder in
            let probe = AcceleratorProbe(runner: runner, tools: tools, device: "/dev/null", isContained: isContained)
            let start = ContinuousClock.now
            let first = await probe.verdict(cache: folder, scratch: folder)
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(!first.cached)
            let second = await probe.verdict(cache: folder, scratch: folder)
            #expect(second == AcceleratorVerdict(accelerator: first.accelerator, reason: first.reason, cached: true))
        }
    }

    @Test func `A verdict of another boot is not believed`() async throws {
        try await withTemporaryFolder { folder in
            let key = VerdictCache.Key(boot: "a", qemu: "7.2", user: 0, contained: true)
            VerdictCache.write(AcceleratorVerdict(accelerator: .kvm, reason: "r"), to: folder, key: key)
            #expect(VerdictCache.read(from: folder, key: key)?.accelerator == .kvm)
            var other = key
            other.boot = "b"
            #expect(VerdictCache.read(from: folder, key: other) == nil)
        }
    }
}
