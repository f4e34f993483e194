import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// A distribution's own cloud image with the real cloud-init: minutes for each without KVM. IMAGE_FACTORY_CLOUD_IMAGE names
/// a qcow2 image that examples/debian-13.yaml makes; part of `make e2e-cloud`.
@Suite(
    .serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil && getenv("IMAGE_FACTORY_CLOUD_IMAGE") != nil),
    .timeLimit(.minutes(60))
) struct RealCloudGuestTests {
    private func with(
        _ userData: String, _ more: [SeedFile.Kind: String] = [:],
        preparing prepare: (FilePath) throws -> Void = { _ in },
        _ body: (inout TinyCloudGuest) async throws -> Void
    ) async throws {
        let given = try #require(getenv("IMAGE_FACTORY_CLOUD_IMAGE").map { String(cString: $0) })
        try await Scratch.with { scratch in
            let image = scratch.path.appending("image.raw")
            try await CommandRunner().runChecked(
                Command("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", given, image.string]),
                activity: "making a raw disk")
            try prepare(image)
            var guest = try TinyCloudGuest(
                scratch.path, image, more.merging([.userData: userData]) { own, _ in own })
            guest.action.memory = .gibi(1)
            guest.environment.setupClocks = nil
            let before = try await TinyCloudGuest.digest(image)
            try await body(&guest)
            #expect(try await TinyCloudGuest.digest(image) == before)
        }
    }

    @Test func `User-data makes a user and a file, whatever its last message, and the image can be cloned`()
        async throws
    {
        let userData = """
            #cloud-config
            users:
              - name: alice
            write_files:
              - path: /etc/written
                content: hello
            final_message: "etwas ganz anderes"
            """
        try await with(userData) { guest in
            try await guest.run()
            let record = try guest.record()
            #expect(record.status == "done" && record.witness == .disk)
            #expect(record.datasource.hasPrefix("DataSourceNoCloud"))
            #expect(try guest.text("/etc/written") == "hello")
            #expect(try guest.text("/etc/passwd")?.contains("alice:") == true)
            let start = ContinuousClock.now
            _ = try await guest.reset(ResetAction(.defaults, makesHostKeyUnit: false))
            print("set up in \(record.seconds) s, reset in \(ContinuousClock.now - start)")
            let clone = guest.folder.pushing("reset/disk.raw")
            #expect(try guest.text("/etc/machine-id", of: clone) == "")
            #expect(try guest.text("/var/lib/cloud/data/result.json", of: clone) == nil)
            #expect(try guest.text("/etc/ssh/ssh_host_ed25519_key", of: clone) == nil)
            #expect(try guest.text("/etc/written", of: clone) == "hello")
            let check = try await CommandRunner().run(Command("fdisk", ["-l", clone.string]))
            #expect(check.succeeded)
        }
    }

    static let failures: [(String, CloudSetupFailure)] = [
        ("#cloud-config\nruncmd:\n  - [sh, -c, 'exit 3']\n", .cloudInitError),
        ("#cloud-config\nruncmd:\n  - [ echo\nusers: }\n", .cloudInitError),
        ("#cloud-config\nbootcmd:\n  - [no-such-program]\n", .cloudInitError),
        ("#cloud-config\npower_state:\n  mode: reboot\n", .guestReset),
    ]

    @Test(arguments: failures) func `Each failure has its own reason`(_ failure: (String, CloudSetupFailure))
        async throws
    {
        try await with(failure.0) { guest in
            let error = try await guest.fail(failure.1)
            print(error.message, error.remedy ?? "")
        }
    }

    @Test func `A script that never ends is given up`() async throws {
        try await with("#!/bin/sh\nwhile :; do :; done\n") { guest in
            guest.environment.setupClocks = GuestClocks(
                total: .seconds(900), noProgress: .seconds(120), shutdownGrace: .seconds(60))
            let error = try await guest.fail(.timeout)
            print(error.message, error.remedy ?? "")
        }
    }

    private static let powerState = "#cloud-config\npower_state:\n  mode: poweroff\n  delay: now\n"

    @Test func `User-data that switches the machine off at its end does what our own part does`() async throws {
        try await with(Self.powerState + "write_files: [{path: /etc/written, content: hello}]\n") { guest in
            try await guest.run()
            #expect(try guest.text("/etc/written") == "hello")
        }
    }

    @Test func `A script as user-data that ends by power_state of vendor-data is done`() async throws {
        let vendor = Self.powerState
        try await with("#!/bin/sh\necho script > /etc/written\n", [.vendorData: vendor]) { guest in
            try await guest.run()
            #expect(try guest.text("/etc/written") == "script\n")
        }
    }

    @Test func `An image whose list of data sources has no NoCloud ignores the seed`() async throws {
        try await with("#cloud-config\n") { image in
            try DiskChange.write("datasource_list: [ ConfigDrive, None ]\n", "/etc/cloud/cloud.cfg.d/99-own.cfg", image)
        } _: { guest in
            let error = try await guest.fail(.noDatasource)
            print(error.message, error.remedy ?? "")
        }
    }
}
