import FactoryCore
import Model

/// A value of an option that is none.
struct WrongValue: Error {
    var value: String
    /// What it must be.
    var wanted: String
    /// The option or what the value stands for.
    var name: String
}

/// The options that both command lines of configure-vm-image have, and neither of the older programs.
struct ConfigurationOptions {
    var output: String?
    var network: CloudSetup.Network
    var firmware: BootCheckAction.Firmware
    var isStrict: Bool
    var timeout: Duration?
    var keepsFailed: Bool
    var resets: Bool
    var makesHostKeyUnit: Bool

    /// Throws `WrongValue`.
    init(_ arguments: ArgparseArguments) throws {
        output = arguments.values["--output"]
        network = try Self.word(arguments, "--network", CloudSetup.Network.allCases) ?? .proxy
        firmware = try Self.word(arguments, "--firmware", [BootCheckAction.Firmware.bios, .uefi]) ?? .bios
        isStrict = arguments.has("--strict")
        timeout = try arguments.values["--timeout"].map(Self.duration)
        keepsFailed = arguments.has("--keep-failed")
        resets = !arguments.has("--no-reset")
        makesHostKeyUnit = arguments.has("--make-host-keys")
    }

    func apply(to request: inout ImageConfigurationRequest) {
        request.network = network
        request.firmware = firmware
        request.degradation = isStrict ? .fail : .warn
        request.timeout = timeout
        request.keepsFailed = keepsFailed
        request.makesHostKeyUnit = makesHostKeyUnit
    }

    private static func word<Word: RawRepresentable<String>>(
        _ arguments: ArgparseArguments, _ key: String, _ known: [Word]
    ) throws -> Word? {
        guard let text = arguments.values[key] else { return nil }
        guard let word = known.first(where: { $0.rawValue == text }) else {
            throw WrongValue(value: text, wanted: "one of " + known.map(\.rawValue).joined(separator: ", "), name: key)
        }
        return word
    }

    /// Without a unit it is seconds.
    private static func duration(_ text: String) throws -> Duration {
        let seconds = TimeLength(argument: text)?.seconds ?? Double(UInt32(text) ?? 0)
        guard seconds >= 1 else {
            throw WrongValue(value: text, wanted: "a time such as 90s or 15m", name: "--timeout")
        }
        return .seconds(seconds)
    }
}
