import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct LibvirtDescriptionTests {
    private func description(values: [String: String] = [:], seed: FilePath? = "/s/seed.iso") -> LibvirtDescription {
        LibvirtDescription(
            name: "one", disk: "/s/a&b/disk.raw", seed: seed, console: "/s/console.log", report: "/s/report.log",
            action: CloudSetupAction(CloudSetup(files: [], memory: .gibi(1), processors: 4), reset: nil),
            accelerator: .kvm, values: values)
    }

    @Test func `Our own machine has the disk, the seed, the console and the probe's port`() throws {
        let xml = try description().xml(nil)
        #expect(xml.contains("<source file='/s/a&amp;b/disk.raw'/>"))
        #expect(xml.contains("<source file='/s/seed.iso'/>"))
        #expect(xml.contains("<source path='/s/console.log'/>"))
        #expect(xml.contains("name='image-factory.probe'"))
        #expect(xml.contains("<vcpu>4</vcpu>") && xml.contains("<memory unit='MiB'>1024</memory>"))
        #expect(!xml.contains("{{"))
    }

    @Test func `A template gets the values, the user's before ours, and what is missing`() throws {
        let template = """
            <domain type='qemu'><name>{{name}}</name><memory>{{ memory_size }}</memory><vcpu>{{ num_vcpus }}</vcpu>
            <devices><disk><driver name="qemu" type="qcow2"/><source file='{{ image_path }}'/></disk>
            <disk><source file='{{ cd_iso_path }}'/></disk>
            <serial type='pty'><log file='{{ log_path }}'/></serial></devices></domain>
            """
        let xml = try description(values: ["num_vcpus": "2"]).xml(template)
        #expect(xml.contains("<vcpu>2</vcpu>") && xml.contains("<memory>1024MiB</memory>"))
        #expect(xml.contains("type=\"raw\"") && !xml.contains("qcow2"))
        #expect(xml.ranges(of: "/s/seed.iso").count == 1)
        #expect(xml.ranges(of: "<serial").count == 1)
        #expect(xml.contains("<on_reboot>destroy</on_reboot></domain>"))
        #expect(xml.contains("<target type='virtio' name='image-factory.probe'/></channel>"))
    }

    @Test func `What cannot be put in is told`() {
        let unknown = #expect(throws: FactoryError.self) { try description().xml("<domain>{{ no_such }}</domain>") }
        #expect(unknown?.message == "the template for libvirt names 'no_such', which has no value")
        let statement = #expect(throws: FactoryError.self) { try description().xml("<domain>{% if x %}</domain>") }
        #expect(statement?.message.contains("statements") == true)
        let empty = #expect(throws: FactoryError.self) { try description().xml("<domain/>") }
        #expect(empty?.message.contains("no description of a machine") == true)
    }
}

/// With real daemons, which scripts/with-libvirt starts.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_LIBVIRT") != nil), .timeLimit(.minutes(10)))
struct LibvirtSetupRealTests {
    @Test(arguments: [nil, CloudSetupFailure.earlyPowerOff, .guestReset])
    func `A guest of libvirt is set up, or fails for the same reasons`(_ reason: CloudSetupFailure?) async throws {
        let tiny: [CloudSetupFailure?: String] = [.earlyPowerOff: "early", .guestReset: "reboot"]
        try await TinyCloudGuest.with(tiny[reason]) { guest in
            guest.action.hypervisor = .libvirt
            guest.environment.setupClocks = GuestClocks(
                total: .seconds(300), noProgress: .seconds(200), shutdownGrace: .seconds(30))
            if let reason {
                try await guest.fail(reason)
            } else {
                try await guest.run()
                #expect(try guest.text("/etc/written") == "hello\n")
                #expect(try guest.record().status == "done")
            }
            let domain = LibvirtDomain(name: "")
            let left = try await CommandRunner().run(domain.virsh("list", "--all", "--name"))
            #expect(!left.text.contains("image-factory-"))
        }
    }
}
