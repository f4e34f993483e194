import Model

/// `num_vcpus=4,memory_size=4096MiB`: what configure-vm-image's template of a machine is filled with.
struct TemplateValues {
    /// Of a key that is there twice the last value counts.
    private var values: [String: String] = [:]
    private(set) var processors: UInt32
    private(set) var memory: ByteCount

    /// What our own machine has, too.
    private static let own = ["num_vcpus", "memory_size", "cpu_architecture"]

    /// A machine of libvirt has the size that the older program gave it, our own one a smaller one.
    ///
    /// Throws `WrongValue`, or `MissingPart` for what has no key or no value.
    init(_ text: String, for hypervisor: Netinstall.Hypervisor) throws {
        (processors, memory) = hypervisor == .libvirt ? (4, .gibi(4)) : (1, .gibi(2))
        for item in text.split(separator: ",") {
            guard let at = item.firstIndex(of: "=") else { throw MissingPart(part: "value", of: String(item)) }
            guard at != item.startIndex else { throw MissingPart(part: "key", of: String(item)) }
            let key = String(item[..<at]).drop { $0 == " " }
            values[String(key)] = String(item[item.index(after: at)...])
        }
        if let text = values["num_vcpus"] { processors = try Self.processors(text) }
        if let text = values["memory_size"] { memory = try Self.memory(text) }
        if let text = values["cpu_architecture"], !["x86_64", "amd64"].contains(text) {
            throw WrongValue(value: text, wanted: "x86_64", name: "cpu_architecture")
        }
    }

    /// What fills a template, all that the older program promised to one. libvirt takes memory in KiB, without a unit.
    var complete: [String: String] {
        let standard = ["cpu_architecture": "x86_64", "machine": "pc", "num_vcpus": "\(processors)"]
        var complete = standard.merging(values) { _, given in given }
        complete["memory_size"] = "\(memory.bytes / 1024)"
        return complete
    }

    /// Keys that only a template knows.
    var foreign: [String] { values.keys.filter { !Self.own.contains($0) }.sorted() }

    private static func processors(_ text: String) throws -> UInt32 {
        guard let number = UInt32(text), (1...256).contains(number) else {
            throw WrongValue(value: text, wanted: "int", name: "num_vcpus")
        }
        return number
    }

    /// A number alone is KiB, as libvirt has it.
    private static func memory(_ text: String) throws -> ByteCount {
        let unit = text.allSatisfy { $0.isASCII && $0.isNumber } ? "KiB" : ""
        guard let size = ByteCount(parsing: text + unit), size >= .mebi(64), size <= .gibi(4096) else {
            throw WrongValue(value: text, wanted: "a size such as 4096MiB", name: "memory_size")
        }
        return size.rounded(upTo: .mebi(1))
    }
}

/// A pair of a list that is none.
struct MissingPart: Error {
    /// `key` or `value`.
    var part: String
    var of: String
}
