import Filesystems
import Glibc
import Model
import Synchronization
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
        #expect(xml.contains("<vcpu>2</vcpu>") && xml.contains("<memory>1048576</memory>"))
        #expect(xml.contains("type=\"raw\"") && !xml.contains("qcow2"))
        #expect(xml.ranges(of: "/s/seed.iso").count == 1)
        #expect(xml.ranges(of: "<serial").count == 1)
        #expect(xml.contains("<on_reboot>destroy</on_reboot>") && xml.contains("<features><acpi/></features></domain>"))
        #expect(xml.contains("<entry name='serial'>ds=nocloud</entry>"))
        #expect(xml.contains("<target type='virtio' name='image-factory.probe'/></channel>"))
    }

    @Test func `Without a seed a template's drive for it is empty`() throws {
        let template = "<domain><devices><disk><source file='{{ cd_iso_path }}'/></disk></devices></domain>"
        let xml = try description(seed: nil).xml(template)
        #expect(xml.contains("<disk><source file=''/></disk>") && !xml.contains("sysinfo"))
    }

    @Test func `Firmware, processor and network of our own machine are as asked for`() throws {
        var setup = CloudSetup(files: [], network: .none, firmware: .uefi)
        let standard = try LibvirtDescription.own(setup)
        #expect(standard.contains("<os firmware='efi'>") && standard.contains("<cpu mode='host-passthrough'/>"))
        #expect(!standard.contains("<interface"))
        setup.processor = "Skylake-Client"
        #expect(try LibvirtDescription.own(setup).contains("<model fallback='forbid'>Skylake-Client</model>"))
        setup.processor = "max"
        #expect(try LibvirtDescription.own(setup).contains("<cpu mode='maximum'/>"))
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

extension LibvirtDescription {
    /// Our own description for a setup.
    fileprivate static func own(_ setup: CloudSetup) throws -> String {
        try LibvirtDescription(
            name: "one", disk: "/disk.raw", seed: nil, console: "/console.log", report: "/report.log",
            action: CloudSetupAction(setup, reset: nil), accelerator: .kvm, values: [:]
        ).xml(nil)
    }
}

/// With real daemons, which scripts/with-libvirt starts.
@Suite(.serialized, .enabled(if: getenv("IMAGE_FACTORY_LIBVIRT") != nil), .timeLimit(.minutes(10)))
struct LibvirtSetupRealTests {
    private func isThere(_ domain: LibvirtDomain) async throws -> Bool {
        try await CommandRunner().run(domain.virsh("domstate", domain.name)).succeeded
    }

    private func with(_ tiny: String?, _ body: (inout TinyCloudGuest) async throws -> Void) async throws {
        let domain = LibvirtDomain.unrecorded
        let isSettled = Mutex(false)
        try await TinyCloudGuest.with(tiny) { guest in
            guest.action.hypervisor = .libvirt
            guest.environment.leaseDomain = { LibvirtLease(domain: domain) { isSettled.withLock { $0 = true } } }
            guest.environment.setupClocks = GuestClocks(
                total: .seconds(300), noProgress: .seconds(200), shutdownGrace: .seconds(30))
            try await body(&guest)
            #expect(guest.environment.libvirtMachine.name != nil || isSettled.withLock { $0 })
        }
        #expect(try await !isThere(domain))
    }

    @Test func `A guest of libvirt is set up`() async throws {
        try await with(nil) { guest in
            try await guest.run()
            #expect(try guest.text("/etc/written") == "hello\n")
            #expect(try guest.record().status == "done")
        }
    }

    @Test(arguments: [
        ("early", CloudSetupFailure.earlyPowerOff), ("reboot", .guestReset), ("panic", .guestPanic),
        ("full", .diskFull), ("error", .cloudInitError),
    ])
    func `A guest of libvirt fails for the same reasons`(_ tiny: String, _ reason: CloudSetupFailure) async throws {
        try await with(tiny) { guest in try await guest.fail(reason) }
    }

    /// In the way of configure-vm-image's: without ACPI, a network, random numbers and a port for the probe.
    private static let template = """
        <domain type='qemu'>
          <name>{{name}}</name><title>{{ title }}</title>
          <memory>{{memory_size}}</memory><vcpu>{{num_vcpus}}</vcpu>
          <os><type arch='{{cpu_architecture}}' machine='{{machine}}'>hvm</type><boot dev='hd'/></os>
          <cpu mode='host-model'/>
          <devices>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2'/><source file='{{disk_image_path}}'/><target dev='vda' bus='virtio'/>
            </disk>
            <disk type='file' device='disk'>
              <driver name='qemu' type='raw'/><source file='{{cd_iso_path}}'/><target dev='vdb' bus='virtio'/><readonly/>
            </disk>
            <serial type='pty'><target port='0'/><log file='{{log_file_path}}' append='on'/></serial>
            <console type='pty'><target type='serial' port='0'/></console>
          </devices>
        </domain>
        """

    @Test func `A template makes the machine, with the user's values and name`() async throws {
        try await with(nil) { guest in
            let name = "our \(getpid())"
            let values = ["title": "<set up>", "memory_size": "262144", "machine": "q35"]
            guest.environment.libvirtMachine = LibvirtMachine(
                template: Self.template, values: values, name: name, removeOptions: ["nvram", "managed_save"])
            let running = guest
            async let end: Void = running.run()
            let domain = LibvirtDomain(name: name)
            var description = ""
            while !description.contains("</domain>"), !Task.isCancelled {
                description = try await CommandRunner().run(domain.virsh("dumpxml", name)).text
                try await Task.sleep(for: .milliseconds(200))
            }
            try await end
            #expect(description.contains("<title>&lt;set up&gt;</title>"))
            #expect(description.contains("<memory unit='KiB'>262144</memory>") && description.contains("-q35-"))
            #expect(guest.events.lines.contains("tiny cloud guest: switch ''"))
            #expect(try guest.text("/etc/written") == "hello\n")
            #expect(try await !isThere(domain))
        }
    }

    @Test func `A machine that has the name already is left alone`() async throws {
        let own = LibvirtDomain(name: "other \(getpid())")
        try await with(nil) { guest in
            let file = guest.folder.appending("own.xml")
            try Scratch.write(
                "<domain type='qemu'><name>\(own.name)</name><memory>65536</memory><os><type>hvm</type></os></domain>",
                file)
            try await CommandRunner().runChecked(own.virsh("define", file.string), activity: "defining a machine")
            guest.environment.libvirtMachine.name = own.name
            let running = guest
            let error = await #expect(throws: FactoryError.self) { try await running.run() }
            #expect(error?.message == "libvirt already has a machine that is called '\(own.name)'")
            #expect(try await isThere(own))
            #expect(await own.release(by: CommandRunner()))
        }
    }
}
