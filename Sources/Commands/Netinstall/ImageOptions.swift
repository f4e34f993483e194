import ArgumentParser
import FactoryCore
import Model

/// What an image of image-factory.conf takes beside its section: the options of image-factory 1.0.2.
struct ImageOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case qcow2
        case raw
    }

    @Option(name: [.customShort("c"), .long], help: "The folder for downloads and results.")
    var cacheDir: String?

    @Option(name: [.customShort("f"), .long], help: "The image's format.")
    var format: Format?

    @Option(help: "The size of the disk.")
    var imageSize: String?

    @Option(help: "The MAC address of the installing machine.")
    var mac: String?

    @Flag(inversion: .prefixedNo, exclusivity: .chooseLast, help: "Show the installer's logs.")
    var installerLogs: Bool?

    @Flag(inversion: .prefixedNo, exclusivity: .chooseLast, help: "Write the log to a file too.")
    var logFile: Bool?

    @Option(help: "That file.")
    var logFilename: String?

    /// The options that were given, with the keys whose values they replace.
    var settings: [ImageSetting] {
        let texts: [(String, String, String?)] = [
            ("--cache-dir", "cache_dir", cacheDir), ("--mac", "mac", mac), ("--format", "format", format?.rawValue),
            ("--image-size", "image-size", imageSize), ("--log-filename", "log-filename", logFilename),
        ]
        let flags: [(String, String, Bool?)] = [
            ("installer-logs", "installer-logs", installerLogs), ("log-file", "log-file", logFile),
        ]
        return texts.compactMap { option, key, value in
            value.map { ImageSetting(option: option, key: key, value: $0) }
        }
            + flags.compactMap { name, key, value in
                value.map { isOn in
                    ImageSetting(option: (isOn ? "--" : "--no-") + name, key: key, value: isOn ? "True" : "False")
                }
            }
    }
}
