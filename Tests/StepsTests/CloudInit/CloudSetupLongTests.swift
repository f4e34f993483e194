import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// The other ends of the tiny cloud image: part of `make e2e-cloud`.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_E2E") != nil), .timeLimit(.minutes(15)))
struct CloudSetupLongTests {
    @Test(arguments: [
        ("panic", CloudSetupFailure.guestPanic), ("reboot", .guestReset), ("early", .earlyPowerOff),
        ("source", .noDatasource), ("ignored", .cloudInitError), ("forget", .cloudInitError), ("full", .diskFull),
    ])
    func `Each wrong end has its own reason`(_ tiny: String, _ reason: CloudSetupFailure) async throws {
        try await TinyCloudGuest.with(tiny) { guest in
            let error = try await guest.fail(reason)
            #expect(error.log == (try guest.evidence()).appending("serial.log").string)
        }
    }

    @Test func `A guest that does nothing is given up`() async throws {
        try await TinyCloudGuest.with("hang") { guest in
            guest.environment.setupClocks?.noProgress = .seconds(5)
            let error = try await guest.fail(.timeout)
            #expect(error.message.hasPrefix("timeout: it did nothing for 5.0 seconds"))
        }
    }

    @Test func `A guest that stays is a failure, never cut off silently`() async throws {
        try await TinyCloudGuest.with("stay") { guest in
            guest.environment.setupClocks?.shutdownGrace = .seconds(12)
            try await guest.fail(.noShutdown)
            let events = try Scratch.read(try guest.evidence().appending("qmp.jsonl"))
            #expect(events.contains("POWERDOWN"))
        }
    }

    @Test func `A seed that nobody reads is known when the guest is up`() async throws {
        try await TinyCloudGuest.with("deaf") { guest in
            guest.environment.setupClocks?.shutdownGrace = .seconds(2)
            guest.environment.setupPatience = .seconds(2)
            let error = try await guest.fail(.noDatasource)
            #expect(error.message.hasPrefix("no-datasource: the guest is up, and its cloud-init did not read the seed"))
        }
    }

    @Test func `A guest that switches itself off once cloud-init is done has done what it should`() async throws {
        try await TinyCloudGuest.with("own") { guest in
            try await guest.run()
            #expect(try guest.record().status == "done")
        }
    }

    @Test func `Without a virtio-serial port the second serial port is used`() async throws {
        try await TinyCloudGuest.with("serial") { guest in
            try await guest.run()
            #expect(try guest.text("/etc/written") == "hello\n")
        }
    }

    @Test(arguments: CloudSetup.Degradation.allCases)
    func `A degraded setup is a warning or a failure, as asked for`(_ degradation: CloudSetup.Degradation) async throws
    {
        try await TinyCloudGuest.with("degraded") { guest in
            guest.action.degradation = degradation
            guard degradation == .warn else {
                let error = try await guest.fail(.cloudInitDegraded)
                #expect(error.message.hasSuffix("Could not resolve a name"))
                return
            }
            try await guest.run()
            #expect(guest.events.warnings.contains("cloud-init was degraded: Could not resolve a name"))
            #expect(try guest.record().recoverableErrors == ["WARNING": ["Could not resolve a name"]])
        }
    }
}
