import Dialects
import Model
import SystemPackage
import TestSupport
import Testing

@Suite struct INIGoldenTests {
    static let images = [
        ("old-form", "Debian-13-server"), ("old-form", "Fedora-42-server"), ("every-key", "kernel"),
        ("every-key", "medium"),
    ]

    @Test(arguments: images)
    func `An image is lowered to the definition that was agreed on`(file: String, image: String) throws {
        let path = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(file).conf")
        let result = try INI.parse([INI.system: try RepositoryFiles.bytes(path)], image: image)
        let text = try Canonical.text(result.definition)
        #expect(text == (try Golden.expected("\(file)-\(image).json", for: text)))
    }

    /// The key that is the engine's affair only is `image_name`, a variable.
    @Test func `The configuration with every key has each of them`() throws {
        let path = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/every-key.conf")
        let text = try Scratch.read(path)
        for key in INIKeys.image + INIKeys.destination {
            let isThere = text.split(separator: "\n").contains {
                $0.hasPrefix(key.name + " =") || $0.hasPrefix(key.name + ":")
            }
            #expect(isThere, "\(key.name)")
        }
    }
}
