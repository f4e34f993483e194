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
        var text = try Self.rendered(template ?? Self.own(accelerator), known.merging(values) { $1 })
        // The disk is raw, whatever the image was.
        for quote in ["'", "\""] {
            text = text.replacing("type=\(quote)qcow2\(quote)", with: "type=\(quote)raw\(quote)")
        }
        guard let devices = text.firstRange(of: "</devices>"), let end = text.firstRange(of: "</domain>") else {
            throw FactoryError(
                .definition, "the template is no description of a machine: it has no devices",
                remedy: "give a template of libvirt's domain XML")
        }
        if !text.contains("<on_reboot>") {
            text.replaceSubrange(end, with: "<on_reboot>destroy</on_reboot></domain>")
        }
        text.replaceSubrange(devices, with: missingDevices(in: text) + "</devices>")
        return text
    }

    /// The names that templates of configure-vm-image use, and plain ones.
    private var known: [String: String] {
        var known = [
            "name": name, "num_vcpus": "\(processors)", "memory_size": "\(max(1, action.memory.bytes >> 20))MiB",
            "memory": "\(max(1, action.memory.bytes >> 20))", "cpu_architecture": "x86_64", "machine": "pc",
            "image_format": "raw",
        ]
        for word in ["image_path", "disk_image_path", "disk_path"] { known[word] = disk.string }
        for word in ["log_path", "log_file_path", "console_path"] { known[word] = console.string }
        if let seed {
            for word in ["ci_image_path", "cd_iso_path", "iso_path", "seed_path"] { known[word] = seed.string }
        }
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

    private static func own(_ accelerator: Accelerator) -> String {
        """
        <domain type='\(accelerator == .kvm ? "kvm" : "qemu")'>
          <name>{{ name }}</name>
          <memory unit='MiB'>{{ memory }}</memory>
          <vcpu>{{ num_vcpus }}</vcpu>
          <os><type arch='{{ cpu_architecture }}' machine='{{ machine }}'>hvm</type></os>
          <features><acpi/><apic/></features>
          <cpu mode='\(accelerator == .kvm ? "host-passthrough" : "maximum")'/>
          <on_poweroff>destroy</on_poweroff>
          <on_reboot>destroy</on_reboot>
          <on_crash>destroy</on_crash>
          <devices>
            <disk type='file' device='disk'>
              <driver name='qemu' type='raw' discard='unmap' detect_zeroes='unmap'/>
              <source file='{{ image_path }}'/>
              <target dev='vda' bus='virtio'/>
            </disk>
            <interface type='user'><model type='virtio'/></interface>
            <serial type='file'><source path='{{ console_path }}'/></serial>
            <video><model type='vga'/></video>
          </devices>
        </domain>
        """
    }
}
