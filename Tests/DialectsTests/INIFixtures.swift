import Dialects
import Model

/// What tests give the dialect of image-factory.conf in place of the outside world.
enum INI {
    static let system = "/etc/image-factory.conf"
    static let user = "/home/me/.config/image-factory.conf"

    /// Files by path. Answer files are `/d/NAME`; there are `/d/a.cfg` and `/d/b.xml`.
    static func parse(
        _ files: [String: [UInt8]], image: String = "web", overrides: [INIRequest.Override] = [],
        only: String? = nil
    ) throws -> INIImage {
        let surroundings = INISurroundings(
            configurationFile: only, home: "/home/me", folder: "/d", date: "2026-11-21", read: { files[$0] },
            files: LocalFiles { path in
                guard path == "/d/a.cfg" || path == "/d/b.xml" else {
                    throw FactoryError(.missingInput, "No such file or directory")
                }
                return (Digest(of: Array(path.utf8)), ByteCount(8))
            })
        return try INIDialect.parse(INIRequest(image: image, overrides: overrides), in: surroundings)
    }

    static func parse(
        _ text: String, image: String = "web", overrides: [INIRequest.Override] = []
    ) throws -> INIImage {
        try parse([system: Array(text.utf8)], image: image, overrides: overrides)
    }

    static func netinstall(
        _ text: String, image: String = "web", overrides: [INIRequest.Override] = []
    ) throws -> Netinstall? {
        guard case .netinstall(let install) = try parse(text, image: image, overrides: overrides).definition.base else {
            return nil
        }
        return install
    }

    /// A sound section of five lines; further keys follow as line 6.
    static func web(_ more: String = "") -> String {
        "[web]\nram=1G\nlinux=/l\ninitrd=/i\npreseed=a.cfg\n" + more
    }

    /// The problems of a configuration, one a line, without the file's name where it is the only one; empty if none.
    static func problems(
        _ text: String, image: String = "web", overrides: [INIRequest.Override] = []
    ) -> String {
        do {
            _ = try parse(text, image: image, overrides: overrides)
            return ""
        } catch let error as InvalidInput {
            return error.diagnostics.map { "\($0)".replacing(system + ":", with: "").replacing("error: ", with: "") }
                .joined(separator: "\n")
        } catch let error as FactoryError {
            return error.message + (error.remedy.map { "; " + $0 } ?? "")
        } catch {
            return "\(error)"
        }
    }

    static func warnings(_ text: String) throws -> [String] {
        try parse(text).warnings.map { "\($0)".replacing(system + ":", with: "") }
    }
}
