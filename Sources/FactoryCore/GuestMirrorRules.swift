import Model
import Steps

/// Mirrors of one's own for installing guests, from the environment: they are facts of the machine that builds.
enum GuestMirrorRules {
    static let variable = "IMAGE_FACTORY_GUEST_MIRRORS"

    /// The rules of `deb.debian.org/debian=http://mirror.example.org/debian`, more of them after blanks.
    static func rules(_ environment: [String: String]) throws -> [MirrorRule] {
        try (environment[variable] ?? "").split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let rule = MirrorRule(origin: parts[0], replacement: parts[1]) else {
                throw FactoryError(
                    .configuration, "\(variable) has '\(word)', which is no mirror",
                    remedy: "write HOST/PATH=URL, such as deb.debian.org/debian=http://mirror.example.org/debian")
            }
            return rule
        }
    }
}
