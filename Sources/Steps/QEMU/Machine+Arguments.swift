import Model

extension Machine {
    /// QEMU's command line, without the program. The processors wait for `cont`, so that nothing of the serial port is
    /// missed. One processor without KVM: with two, one boot of four panicked (QEMU 7.2).
    package func arguments() throws -> [String] {
        try checkPaths()
        return try QEMUOptions.isolation + machineArguments() + firmwareArguments() + haltArguments()
            + kernelArguments()
            + disks.enumerated().flatMap { try diskArguments($0.element, number: $0.offset) }
            + seedArguments() + mediumArguments() + networkArguments() + channelArguments() + setupArguments()
    }

    private func machineArguments() -> [String] {
        var machine = "q35,usb=off,vmport=off"
        if case .uefi(_, let variables?) = firmware, !variables.isEmpty { machine += ",pflash0=code,pflash1=variables" }
        // Without graphics SeaBIOS shows its messages, and those of boot loaders, on the serial port.
        if firmware == .bios { machine += ",graphics=off" }
        return [
            "-name", "image-factory", "-machine", machine, "-accel", accelerator.rawValue,
            "-cpu", processor ?? (accelerator == .kvm ? "host" : "qemu64,-svm"), "-smp",
            accelerator == .kvm ? "\(installation?.processors ?? setup?.processors ?? 2)" : "1",
            "-m", "\(max(1, memory.bytes >> 20))", "-rtc", "base=utc", "-S",
            "-display", display, "-device", "VGA,id=screen",
            "-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random",
        ] + (endsAtReboot ? ["-no-reboot"] : [])
    }

    private var display: String {
        installation?.hasDisplay == true ? "vnc=unix:\(folder)/\(Self.displaySocket)" : "none"
    }

    /// A halted machine still shows its screen and its counters.
    private func haltArguments() -> [String] {
        reports ? ["-action", "reboot=shutdown,shutdown=pause,panic=pause", "-device", "pvpanic"] : []
    }

    private func kernelArguments() -> [String] {
        guard let installation else { return [] }
        return [
            "-kernel", installation.kernel.file, "-initrd", installation.kernel.initrd,
            "-append", installation.kernel.commandLine,
        ]
    }

    private func firmwareArguments() throws -> [String] {
        switch firmware {
        case .bios: []
        case .uefi(let code, nil): ["-bios", code]
        case .uefi(let code, let variables?):
            try node("code", "raw", ["read-only": true, "file": Self.file(code, writable: false)])
                + node("variables", "raw", ["file": Self.file(variables, writable: true)])
        }
    }

    private func diskArguments(_ disk: Disk, number: Int) throws -> [String] {
        let name = "disk\(number)"
        var arguments: [String] = []
        var options: [String: JSONValue] = ["file": Self.file(disk.file, writable: true), "discard": "unmap"]
        if disk.format == .qcow2 { options["backing"] = nil as JSONValue }
        if let base = disk.base {
            var baseOptions: [String: JSONValue] = ["read-only": true, "file": Self.file(base.file, writable: false)]
            if base.format == .qcow2 { baseOptions["backing"] = nil as JSONValue }
            arguments += try node(name + "-base", base.format.rawValue, baseOptions)
            options["backing"] = .string(name + "-base")
        }
        // An overlay is thrown away, and the copy that is set up is of no use before the end: what the guest flushes need
        // not reach the disk.
        if disk.base != nil || setup != nil { options["cache"] = ["no-flush": true] }
        var device = "virtio-blk-pci,drive=\(name),id=\(name)-device"
        // A kernel of ours is the first to boot, and has the first index.
        if installation == nil { device += ",bootindex=\(number)" }
        if disk.isResult {
            options["detect-zeroes"] = "unmap"
            device += ",werror=stop,rerror=stop"
        }
        arguments += try node(name, disk.format.rawValue, options)
        return arguments + ["-device", device]
    }

    private func seedArguments() throws -> [String] {
        guard let seed else { return [] }
        return try node("seed", "raw", ["read-only": true, "file": Self.file(seed, writable: false)])
            + ["-device", "virtio-blk-pci,drive=seed,id=seed-device"]
    }

    private func mediumArguments() throws -> [String] {
        guard let medium = installation?.medium else { return [] }
        return try node("medium", "raw", ["read-only": true, "file": Self.file(medium, writable: false)])
            + ["-device", "ide-cd,bus=ide.0,drive=medium,id=medium-device"]
    }

    private func networkArguments() -> [String] {
        let user: String
        switch network {
        case .none: return []
        case .isolated: user = "user,id=network,restrict=on"
        case .sshForwarded(let port): user = "user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:\(port)-:22"
        case .shared: user = "user,id=network,ipv6=off"
        }
        let address = installation?.mac.map { ",mac=\($0)" } ?? ""
        return ["-netdev", user, "-device", "virtio-net-pci,netdev=network,romfile=\(address)"]
    }

    private func socket(_ id: String, _ name: String) -> [String] {
        ["-chardev", "socket,id=\(id),path=\(folder)/\(name),server=on,wait=off"]
    }

    private func setupArguments() -> [String] {
        guard let setup else { return [] }
        let serial = setup.serial.map { "serial=\($0)," } ?? ""
        return ["-smbios", "type=1,\(serial)family=\(setup.family)", "-device", "virtio-serial-pci"]
            + socket("probe", Self.probeSocket)
            + ["-device", "virtserialport,chardev=probe,name=\(SetupProbe.port)"]
            + (setup.hasMonitor ? socket("people", Self.peopleSocket) + ["-mon", "chardev=people,mode=readline"] : [])
    }

    private func channelArguments() -> [String] {
        socket("monitor", Self.monitorSocket) + ["-mon", "chardev=monitor,mode=control"]
            + socket("serial", Self.serialSocket) + ["-serial", "chardev:serial"]
            + (!reports ? [] : socket("report", Self.reportSocket) + ["-serial", "chardev:report"])
    }

    private static func file(_ path: String, writable: Bool) -> JSONValue {
        var options: [String: JSONValue] = ["driver": "file", "filename": .string(path)]
        options[writable ? "discard" : "read-only"] = writable ? "unmap" : true
        return .object(options)
    }

    private func node(_ name: String, _ driver: String, _ options: [String: JSONValue]) throws -> [String] {
        var members = options
        members["node-name"] = .string(name)
        members["driver"] = .string(driver)
        return ["-blockdev", String(decoding: try Canonical.bytes(JSONValue.object(members)), as: UTF8.self)]
    }

    /// Refuses paths that would be read as more than a path: those in options with commas.
    private func checkPaths() throws {
        guard !folder.contains(",") else {
            throw FactoryError(.internal, "a comma in the machine's folder '\(folder)'")
        }
        if let mac = installation?.mac,
            !mac.utf8.allSatisfy({ $0 == UInt8(ascii: ":") || Character(UnicodeScalar($0)).isHexDigit })
        {
            throw FactoryError(
                .definition, "'\(mac)' is no address of a network card", remedy: "write it as 52:54:00:12:34:56")
        }
    }
}
