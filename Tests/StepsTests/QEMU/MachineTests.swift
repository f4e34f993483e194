import Model
import Testing

@testable import Steps

@Suite struct MachineTests {
    private let overlay = Machine.Disk(
        file: "/mnt/machine/overlay.qcow2", format: .qcow2, base: .init(file: "/mnt/image", format: .qcow2))

    @Test func `A BIOS machine without KVM`() throws {
        let machine = Machine(accelerator: .tcg, disks: [overlay], seed: "/mnt/seed", folder: "/mnt/machine")
        #expect(
            try machine.arguments().joined(separator: "\n") == """
                -nodefaults
                -no-user-config
                -sandbox
                on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
                -name
                image-factory
                -machine
                q35,usb=off,vmport=off,graphics=off
                -accel
                tcg
                -cpu
                qemu64,-svm
                -smp
                1
                -m
                1024
                -rtc
                base=utc
                -S
                -display
                none
                -device
                VGA,id=screen
                -object
                rng-random,id=random,filename=/dev/urandom
                -device
                virtio-rng-pci,rng=random
                -blockdev
                {"backing":null,"driver":"qcow2","file":{"driver":"file","filename":"/mnt/image","read-only":true},\
                "node-name":"disk0-base","read-only":true}
                -blockdev
                {"backing":"disk0-base","cache":{"no-flush":true},"discard":"unmap","driver":"qcow2",\
                "file":{"discard":"unmap","driver":"file","filename":"/mnt/machine/overlay.qcow2"},"node-name":"disk0"}
                -device
                virtio-blk-pci,drive=disk0,id=disk0-device,bootindex=0
                -blockdev
                {"driver":"raw","file":{"driver":"file","filename":"/mnt/seed","read-only":true},"node-name":"seed",\
                "read-only":true}
                -device
                virtio-blk-pci,drive=seed,id=seed-device
                -netdev
                user,id=network,restrict=on
                -device
                virtio-net-pci,netdev=network,romfile=
                -chardev
                socket,id=monitor,path=/mnt/machine/monitor.sock,server=on,wait=off
                -mon
                chardev=monitor,mode=control
                -chardev
                socket,id=serial,path=/mnt/machine/serial.sock,server=on,wait=off
                -serial
                chardev:serial
                """)
    }

    @Test func `With KVM the guest gets the host's processor`() throws {
        let arguments = try Machine(accelerator: .kvm, disks: [], folder: "/m").arguments()
        #expect(arguments.contains(["-accel", "kvm", "-cpu", "host"]))
    }

    @Test func `The processor can be chosen`() throws {
        let arguments = try Machine(accelerator: .tcg, processor: "max", disks: [], folder: "/m").arguments()
        #expect(arguments.contains(["-cpu", "max"]))
    }

    @Test func `UEFI firmware is in flash memory, its variables writable`() throws {
        let machine = Machine(
            accelerator: .tcg, firmware: .uefi(code: "/code.fd", variables: "/vars.fd"), disks: [], folder: "/m")
        let arguments = try machine.arguments()
        #expect(arguments.contains("q35,usb=off,vmport=off,pflash0=code,pflash1=variables"))
        #expect(
            arguments.contains(
                #"{"driver":"raw","file":{"driver":"file","filename":"/code.fd","read-only":true},"#
                    + #""node-name":"code","read-only":true}"#))
        #expect(
            arguments.contains(
                #"{"driver":"raw","file":{"discard":"unmap","driver":"file","filename":"/vars.fd"},"#
                    + #""node-name":"variables"}"#))
    }

    @Test func `A disk of its own has nothing behind it, whatever it says`() throws {
        let disk = Machine.Disk(file: "/a,b.qcow2", format: .qcow2)
        let arguments = try Machine(accelerator: .tcg, disks: [disk], folder: "/m").arguments()
        #expect(
            arguments.contains(
                #"{"backing":null,"discard":"unmap","driver":"qcow2","#
                    + #""file":{"discard":"unmap","driver":"file","filename":"/a,b.qcow2"},"node-name":"disk0"}"#))
    }

    @Test func `A port of the host leads to the guest's ssh`() throws {
        let machine = Machine(accelerator: .tcg, disks: [], network: .sshForwarded(port: 2222), folder: "/m")
        #expect(try machine.arguments().contains("user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22"))
    }

    @Test func `A guest of the proxy sees what the namespace of QEMU has, by IPv4`() throws {
        let machine = Machine(accelerator: .tcg, disks: [], network: .shared, folder: "/m")
        #expect(try machine.arguments().contains("user,id=network,ipv6=off"))
    }

    @Test func `A machine for an installer has its kernel, a second serial port, and stays when the power is off`()
        throws
    {
        let machine = Machine(
            accelerator: .kvm, disks: [Machine.Disk(file: "/mnt/disk.raw", format: .raw, isResult: true)],
            network: .shared, folder: "/m",
            installation: Machine.Installation(
                kernel: Machine.Kernel(file: "/k", initrd: "/i", commandLine: "a=b,c d"), medium: "/iso",
                processors: 4, mac: "52:54:00:12:34:56", hasDisplay: true))
        let arguments = try machine.arguments()
        for words in [
            ["-action", "reboot=shutdown,shutdown=pause,panic=pause"], ["-kernel", "/k"], ["-initrd", "/i"],
            ["-append", "a=b,c d"], ["-smp", "4"], ["-display", "vnc=unix:/m/display.sock"],
            [
                "-blockdev",
                #"{"detect-zeroes":"unmap","discard":"unmap","driver":"raw","file":{"discard":"unmap","#
                    + #""driver":"file","filename":"/mnt/disk.raw"},"node-name":"disk0"}"#,
            ], ["-device", "virtio-blk-pci,drive=disk0,id=disk0-device,werror=stop,rerror=stop"],
            ["-device", "ide-cd,bus=ide.0,drive=medium,id=medium-device"],
            [
                "-netdev", "user,id=network,ipv6=off", "-device",
                "virtio-net-pci,netdev=network,romfile=,mac=52:54:00:12:34:56",
            ],
        ] { #expect(arguments.contains(words), "\(words)") }
        #expect(arguments.suffix(4).joined(separator: " ").hasSuffix("server=on,wait=off -serial chardev:report"))
    }

    @Test(arguments: ["52:54:00:12:34:56,model=e1000", "x"])
    func `A network card's address cannot add options`(mac: String) {
        let kernel = Machine.Kernel(file: "/k", initrd: "/i", commandLine: "")
        let machine = Machine(
            accelerator: .tcg, disks: [], folder: "/m", installation: .init(kernel: kernel, mac: mac))
        #expect(throws: FactoryError.self) { try machine.arguments() }
    }

    @Test func `A comma in the folder cannot add options`() {
        let machine = Machine(accelerator: .tcg, disks: [], folder: "/m,server=off")
        #expect(throws: FactoryError.self) { try machine.arguments() }
    }
}
