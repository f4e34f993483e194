import Model
import SystemPackage

/// A machine of libvirt in which an image is set up, as XML: the user's template or our own, with what the setup needs added
/// where it is missing.
struct LibvirtDescription {
    var name: String
    var disk: FilePath
    /// Nil without a seed.
    var seed: FilePath?
    var console: FilePath
    /// A file that gets what the probe says.
    var report: FilePath
    var action: CloudSetupAction
    var accelerator: Accelerator
    /// What the user set, which wins.
    var values: [String: String]

    /// The XML. Throws for a template that names a value which nobody has given, or that is none of a machine.
    func xml(_ template: String?) throws -> String {
        var text = try Self.rendered(template ?? own, known.merging(values) { $1 })
        // The disk is raw, whatever the image was.
        for quote in ["'", "\""] {
            text = text.replacing("type=\(quote)qcow2\(quote)", with: "type=\(quote)raw\(quote)")
        }
        guard text.contains("</devices>"), text.contains("</domain>") else {
            throw FactoryError(
                .definition, "the template is no description of a machine: it has no devices",
                remedy: "give a template of libvirt's domain XML")
        }
        Self.put(missingDevices(in: text), before: "</devices>", in: &text)
        if seed != nil, !text.contains("<sysinfo") {
            // ds-identify lets cloud-init look for a seed then, however late the disk comes.
            Self.put("<smbios mode='sysinfo'/>", before: "</os>", in: &text)
            let entry = "<sysinfo type='smbios'><system><entry name='serial'>ds=nocloud</entry></system></sysinfo>"
            Self.put(entry, before: "</domain>", in: &text)
        }
        if !text.contains("<on_reboot>") { Self.put("<on_reboot>destroy</on_reboot>", before: "</domain>", in: &text) }
        // A machine without ACPI cannot switch itself off.
        if !text.contains("<acpi") {
            if text.contains("</features>") {
                Self.put("<acpi/>", before: "</features>", in: &text)
            } else {
                Self.put("<features><acpi/></features>", before: "</domain>", in: &text)
            }
        }
        return text
    }

    private static func put(_ more: String, before tag: String, in text: inout String) {
        if let place = text.firstRange(of: tag) { text.insert(contentsOf: more, at: place.lowerBound) }
    }

    /// The names that templates of configure-vm-image use, and plain ones. Memory is in KiB where it has no unit.
    private var known: [String: String] {
        let mebibytes = max(1, action.memory.bytes >> 20)
        var known = [
            "name": name, "num_vcpus": "\(processors)", "memory_size": "\(mebibytes << 10)",
            "memory": "\(mebibytes)", "cpu_architecture": "x86_64", "machine": "pc", "image_format": "raw",
        ]
        for word in ["image_path", "disk_image_path", "disk_path"] { known[word] = disk.string }
        for word in ["log_path", "log_file_path", "configure_vm_log_path", "console_path"] {
            known[word] = console.string
        }
        // A drive without a disk in it.
        for word in ["ci_image_path", "cd_iso_path", "iso_path", "seed_path"] { known[word] = seed?.string ?? "" }
        return known
    }

    private var processors: UInt32 { accelerator == .tcg ? 1 : action.processors }

    private func missingDevices(in text: String) -> String {
        var devices = """
            <channel type='file'><source path='\(Self.escaped(report.string))'/>\
            <target type='virtio' name='\(SetupProbe.port)'/></channel>
            """
        if let seed, !text.contains(Self.escaped(seed.string)) {
            devices += """
                <disk type='file' device='disk'><driver name='qemu' type='raw'/>\
                <source file='\(Self.escaped(seed.string))'/><target dev='vdz' bus='virtio'/><readonly/></disk>
                """
        }
        if !text.contains("<serial") {
            devices += "<serial type='file'><source path='\(Self.escaped(console.string))'/></serial>"
        }
        if !text.contains("<rng") {
            devices += "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
        }
        return devices
    }

    /// Puts values in the places `{{ name }}`, escaped for XML.
    static func rendered(_ template: String, _ values: [String: String]) throws -> String {
        var text = ""
        var rest = template[...]
        while let open = rest.firstRange(of: "{{") {
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            text += rest[..<open.lowerBound]
            let name = String(rest[open.upperBound..<close.lowerBound].filter { !$0.isWhitespace })
            guard let value = values[name] else {
                throw FactoryError(
                    .definition, "the template for libvirt names '\(name)', which has no value",
                    remedy: "give it one; known are \(values.keys.sorted().joined(separator: ", "))")
            }
            text += escaped(value)
            rest = rest[close.upperBound...]
        }
        guard rest.firstRange(of: "{%") == nil, text.firstRange(of: "{%") == nil else {
            throw FactoryError(
                .definition, "the template for libvirt has statements ({% … %}); only values are put in",
                remedy: "write the machine out, with places such as {{ name }}")
        }
        return text + rest
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "'": escaped += "&apos;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }

    /// What is the same for everybody; the network is libvirt's own for users.
    private var own: String {
        let loader = action.firmware == .uefi ? " firmware='efi'" : ""
        let network = action.network == .none ? "" : "<interface type='user'><model type='virtio'/></interface>"
        return """
            <domain type='\(accelerator == .kvm ? "kvm" : "qemu")'>
              <name>{{ name }}</name>
              <memory unit='MiB'>{{ memory }}</memory>
              <vcpu>{{ num_vcpus }}</vcpu>
              <os\(loader)><type arch='{{ cpu_architecture }}' machine='{{ machine }}'>hvm</type></os>
              <features><acpi/><apic/></features>
              \(processor)
              <on_poweroff>destroy</on_poweroff>
              <on_reboot>destroy</on_reboot>
              <on_crash>destroy</on_crash>
              <devices>
                <disk type='file' device='disk'>
                  <driver name='qemu' type='raw' discard='unmap' detect_zeroes='unmap'/>
                  <source file='{{ image_path }}'/>
                  <target dev='vda' bus='virtio'/>
                </disk>
                \(network)
                <serial type='file'><source path='{{ console_path }}'/></serial>
                <video><model type='vga'/></video>
              </devices>
            </domain>
            """
    }

    /// The best that there is, unless another one is asked for.
    private var processor: String {
        switch action.processor {
        case nil, "host":
            accelerator == .kvm
                ? "<cpu mode='host-passthrough'/>"
                // Five levels of page tables cost the emulation a lot.
                : "<cpu mode='maximum'><feature policy='disable' name='la57'/></cpu>"
        case "max": "<cpu mode='maximum'/>"
        case let model?:
            "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>\(Self.escaped(model))</model></cpu>"
        }
    }
}
