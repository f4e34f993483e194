import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// What every change must keep; the rest of the tiny cloud image's tests takes minutes (`CloudSetupLongTests`).
@Suite(.serialized, .timeLimit(.minutes(3))) struct CloudSetupStepTests {
    @Test func `A guest is set up as its seed says, says that it is done and switches off; then it is reset`()
        async throws
    {
        try await TinyCloudGuest.with { guest in
            try await guest.run()
            #expect(Scratch.names(guest.output) == ["cloud-init.json", "disk.raw"])
            #expect(try guest.text("/etc/written") == "hello\n")
            #expect(try guest.text("/var/lib/cloud/data/meta-data")?.hasPrefix("instance-id: imgf-") == true)
            let record = try guest.record()
            #expect(record.status == "done" && record.witness == .disk && record.errors == [])
            #expect(record.datasource == "DataSourceNoCloud [seed=/dev/vdb]")
            #expect(record.written > ByteCount(0))
            #expect(guest.events.lines.contains("tiny cloud guest: switch ''"))
            #expect(Scratch.names(guest.folder.appending("logs")) == [])
            #expect(Scratch.names(guest.folder.appending("scratch")) == ["order.json"])

            let report = try await guest.reset(ResetAction(.defaults, makesHostKeyUnit: false))
            let clone = guest.folder.pushing("reset/disk.raw")
            #expect(try guest.text("/var/lib/cloud/data/result.json", of: clone) == nil)
            #expect(try guest.text("/etc/machine-id", of: clone) == "")
            #expect(try guest.text("/etc/ssh/ssh_host_rsa_key", of: clone) == nil)
            #expect(try guest.text("/etc/written", of: clone) == "hello\n")
            #expect(report.operations.first { $0.name == "cloud-init" }?.removed == ["/var/lib/cloud/data"])
            let check = try await CommandRunner().run(Command("e2fsck", ["-f", "-n", "\(clone)?offset=1048576"]))
            #expect(check.succeeded, "\(check.text)")
        }
    }

    @Test func `Errors of cloud-init are a failure with their words, and what helps is kept`() async throws {
        try await TinyCloudGuest.with("error") { guest in
            guest.environment.keepsFailed = true
            let error = try await guest.fail(.cloudInitError)
            #expect(error.message.contains("Runparts: 1 failures (runcmd)"))
            let evidence = try guest.evidence()
            #expect(error.remedy?.hasSuffix("see \(evidence)") == true)
            #expect(
                Set(Scratch.names(evidence)).isSuperset(of: [
                    "cloud-init.log", "disk.raw", "qemu.cmdline", "result.json", "serial.log", "report.log",
                ]))
            #expect(try Scratch.read(evidence.appending("cloud-init.log")) == "the log of cloud-init\n")
        }
    }

    @Test func `An end before cloud-init's is a failure, also of a guest that says what the probe would`() async throws
    {
        try await TinyCloudGuest.with("imitate") { guest in
            try await guest.fail(.earlyPowerOff)
            #expect(Scratch.names(try guest.evidence()).contains("screen.png"))
        }
    }

    @Test func `An image without cloud-init is not booted`() async throws {
        try await Scratch.with { scratch in
            let tree = scratch.path.appending("tree")
            mkdir(tree.string, 0o755)
            mkdir(tree.appending("etc").string, 0o755)
            try Scratch.write("NAME=x\n", tree.pushing("etc/os-release"))
            let image = scratch.path.appending("image")
            try await CommandRunner().runChecked(
                Command("mke2fs", ["-q", "-t", "ext4", "-d", tree.string, image.string, "8M"]),
                activity: "making a filesystem")
            let guest = try TinyCloudGuest(scratch.path, image, [.userData: "#cloud-config\n"])
            let error = try await guest.fail(.noCloudInit)
            #expect(error.message == "no-cloud-init: the image has no cloud-init")
            #expect(Scratch.names(guest.folder.appending("logs")) == [])
        }
    }
}
