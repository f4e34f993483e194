package import SystemPackage

/// What a build is of.
package enum DefinitionSource: Sendable {
    /// A definition in a file.
    case file(FilePath)
    /// A section of image-factory.conf, with what the command line has in place of its keys.
    case image(String, [ImageSetting])

    var isImage: Bool {
        if case .image = self { true } else { false }
    }

    /// The file that it is in, or would be in beside what belongs to it.
    package var path: FilePath {
        switch self {
        case .file(let path): path
        case .image: "image-factory.conf"
        }
    }
}

/// An option of the command line that replaces the value of a key of image-factory.conf.
package struct ImageSetting: Hashable, Sendable {
    /// As a person writes it: `--image-size`.
    package var option: String
    package var key: String
    package var value: String

    package init(option: String, key: String, value: String) {
        self.option = option
        self.key = key
        self.value = value
    }
}
