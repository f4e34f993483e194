import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// With real daemons, which scripts/with-libvirt starts.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_LIBVIRT") != nil), .timeLimit(.minutes(10)))
struct LibvirtRealTests {
    private func machines() async throws -> [Substring] {
        let domain = LibvirtDomain(name: "")
        let result = try await CommandRunner().run(domain.virsh("list", "--all", "--name"))
        return result.text.split(separator: "\n").filter { $0.hasPrefix("image-factory-") }
    }

    @Test func `virt-install lets the tiny installer install, and leaves no machine`() async throws {
        try await TinyInstaller.with { installer in
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks = GuestClocks(
                total: .seconds(500), noProgress: .seconds(300), shutdownGrace: .seconds(30))
            try await installer.run()
            #expect(try installer.record().saidFinished)
            let log = try installer.text(installer.output.appending("installer.log"))
            #expect(log.contains("answers: /tiny.cfg 2 lines"))
            #expect(try await machines() == [])
        }
    }

    @Test func `A panic is told, and no machine is left`() async throws {
        try await TinyInstaller.with("panic") { installer in
            installer.action.hypervisor = .libvirt
            installer.environment.installClocks = GuestClocks(
                total: .seconds(500), noProgress: .seconds(300), shutdownGrace: .seconds(30))
            let error = try #require(await #expect(throws: FactoryError.self) { try await installer.run() })
            #expect(error.message.hasPrefix("the installation failed: the kernel panicked: "))
            #expect(Scratch.names(installer.evidence).contains("last-lines.txt"))
            #expect(try await machines() == [])
        }
    }
}
