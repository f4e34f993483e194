import FactoryCore
import Glibc
import Model
import SystemPackage

/// cloud-localds of cloud-image-utils, which makes seeds for cloud-init.
enum CloudLocalds: ForeignCommand {
    static let name = "cloud-localds"

    static let letters: [GetoptReader.Option] = [
        .init(name: "h", takesValue: false), .init(name: "H", takesValue: true), .init(name: "i", takesValue: true),
        .init(name: "d", takesValue: true), .init(name: "f", takesValue: true), .init(name: "m", takesValue: true),
        .init(name: "N", takesValue: true), .init(name: "o", takesValue: true), .init(name: "V", takesValue: true),
        .init(name: "v", takesValue: false),
    ]

    static let words: [GetoptReader.Option] = [
        .init(name: "disk-format", takesValue: true), .init(name: "dsmode", takesValue: true),
        .init(name: "filesystem", takesValue: true), .init(name: "help", takesValue: false),
        .init(name: "hostname", takesValue: true), .init(name: "interfaces", takesValue: true),
        .init(name: "network-config", takesValue: true), .init(name: "output", takesValue: true),
        .init(name: "vendor-data", takesValue: true), .init(name: "verbose", takesValue: false),
    ]

    private static let long = [
        "-d": "--disk-format", "-f": "--filesystem", "-H": "--hostname", "-i": "--interfaces", "-N": "--network-config",
        "-m": "--dsmode", "-V": "--vendor-data", "-v": "--verbose", "-h": "--help", "-o": "--output",
    ]

    static let usage = """
        Usage: cloud-localds [ options ] output user-data [meta-data]

           Makes a disk from which cloud-init reads (NoCloud)

           options:
             -h | --help             show this help
             -d | --disk-format D    raw, which is the default
             -H | --hostname    H    the name of the host, in meta-data
             -f | --filesystem  F    vfat or iso9660, which is the default
             -i | --interfaces  F    a file of network interfaces, in meta-data
             -N | --network-config F a file of network configuration
             -m | --dsmode      M    'local' or 'net', in meta-data
             -V | --vendor-data F    a file of vendor-data
             -v | --verbose          tell what was made

           A meta-data file excludes --dsmode, --hostname and --interfaces.

        """

    /// Why nothing was made; the exit status is 1.
    private struct Failure: Error {
        var lines: [String]
        /// Whether the usage stands before the lines.
        var isUsage = false
    }

    static func run(_ arguments: [String]) async -> Int32 {
        await SignalTrap.run {
            do {
                return try await make(arguments)
            } catch let failure as Failure {
                let lines = failure.lines.map { Printable.line($0, unicode: true) + "\n" }.joined()
                _ = TextOutput(descriptor: STDERR_FILENO).write((failure.isUsage ? usage : "") + lines)
                return 1
            }
        }
    }

    private static func make(_ line: [String]) async throws -> Int32 {
        let found: GetoptReader.Found
        do {
            found = try GetoptReader.read(line, letters: letters, words: words)
        } catch {
            Session.note("\(name): \(error.message)")
            throw Failure(lines: [], isUsage: true)
        }
        var values: [String: String] = [:]
        for option in found.options { values[long[option.name] ?? option.name] = option.value ?? "" }
        if values["--help"] != nil {
            _ = TextOutput(descriptor: STDOUT_FILENO).write(usage)
            return 0
        }
        guard found.arguments.count >= 2 else {
            throw Failure(lines: ["must provide output, userdata"], isUsage: true)
        }
        guard found.arguments.count <= 3 else { throw Failure(lines: ["confused by additional args"], isUsage: true) }
        let (seed, system) = try seed(values, found.arguments)
        do {
            let sources = Array(seed.files.values) + [values["--interfaces"]].compactMap { $0.map { FilePath($0) } }
            try SeedOutput.write(try await SeedOutput.bytes(seed), to: found.arguments[0], from: sources)
        } catch let error as SeedImage.Unreadable {
            throw unreadable(error)
        }
        if values["--verbose"] != nil {
            Session.note("wrote \(found.arguments[0]) with filesystem=\(system) and diskformat=raw")
        }
        return 0
    }

    /// With the filesystem's name, as the program has it.
    private static func seed(
        _ values: [String: String], _ arguments: [String]
    ) throws -> (seed: SeedImage, filesystem: String) {
        let metaData = arguments.count == 3 && !arguments[2].isEmpty ? arguments[2] : nil
        let written = ["--interfaces", "--dsmode", "--hostname"].contains { !(values[$0] ?? "").isEmpty }
        if metaData != nil, written {
            throw Failure(lines: ["metadata is incompatible with: --interfaces, --hostname, --dsmode"])
        }
        let disk = values["--disk-format"] ?? "raw"
        guard disk == "raw" else {
            throw Failure(lines: [
                "the disk format \(disk) is not made", "hint: every hypervisor takes raw; qemu-img converts it",
            ])
        }
        let system = values["--filesystem"].flatMap { $0.isEmpty ? nil : $0 == "iso" ? "iso9660" : $0 } ?? "iso9660"
        guard ["iso9660", "vfat"].contains(system) else { throw Failure(lines: ["unknown filesystem \(system)"]) }
        var files = [SeedFile.Kind.userData: arguments[1] == "-" ? "/dev/stdin" : arguments[1]]
        files[.metaData] = metaData
        for (kind, key) in [(SeedFile.Kind.networkConfig, "--network-config"), (.vendorData, "--vendor-data")] {
            if let path = values[key], !path.isEmpty { files[kind] = path }
        }
        return (
            SeedImage(
                files: files.mapValues { FilePath($0) }, format: system == "vfat" ? .fat : .iso,
                // The same name in every seed: machines that have started with one of this program stay as they are.
                metaData: .init(
                    instance: "iid-local01", hostname: filled(values["--hostname"]),
                    interfaces: try values["--interfaces"].map(text), mode: filled(values["--dsmode"]))), system
        )
    }

    private static func filled(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }

    private static func text(_ path: String) throws -> String {
        do {
            return try WholeText.read(FilePath(path))
        } catch {
            throw Failure(lines: ["\(path): not a readable file"])
        }
    }

    private static func unreadable(_ error: SeedImage.Unreadable) -> Failure {
        switch error.kind {
        case .networkConfig: Failure(lines: ["failed to copy network config", "\(error.path): \(error.reason)"])
        case .vendorData: Failure(lines: ["failed to copy vendor data", "\(error.path): \(error.reason)"])
        case .userData, .metaData: Failure(lines: ["\(error.path): failed to copy: \(error.reason)"])
        }
    }
}
