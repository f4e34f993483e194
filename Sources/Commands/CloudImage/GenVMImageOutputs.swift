import FactoryCore
import Glibc
import Model
import SystemPackage

/// Where images go, so that none takes the place of another.
enum GenVMImageOutputs {
    /// The path of each image for the older program's `--image-output-path`.
    ///
    /// That is a file for one image. For several it is a folder (there already, or with a slash at its end), a pattern with
    /// `{image}`, `{name}` or `{version}` in it, or a file, into whose name each image's key is put.
    static func paths(for images: [GeneratedImage], at path: String, isFolder: (String) -> Bool) -> [String] {
        images.map { image in
            if path.contains("{image}") || path.contains("{name}") || path.contains("{version}") {
                return path.replacing("{image}", with: fileName(image.key))
                    .replacing("{name}", with: image.definition.name)
                    .replacing("{version}", with: image.definition.version)
            }
            if path.hasSuffix("/") { return path + image.fileName }
            if isFolder(path) { return path + "/" + image.fileName }
            return images.count == 1 ? path : inserting(fileName(image.key), into: path)
        }
    }

    /// `DIR/image.qcow2` → `DIR/image-KEY.qcow2`
    private static func inserting(_ key: String, into path: String) -> String {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let name = path.dropFirst(folder.count)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return path + "-" + key }
        return "\(folder)\(name[..<dot])-\(key)\(name[dot...])"
    }

    /// Keys are any texts.
    private static func fileName(_ key: String) -> String {
        String(key.map { $0 == "/" || $0.isNewline || $0 == "\0" ? "_" : $0 })
    }

    static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// Throws if two images would be one file.
    static func requireDistinct(_ outputs: [(image: String, path: String)], file: String) throws {
        var owners: [String: String] = [:]
        for (image, path) in outputs {
            if let owner = owners.updateValue(image, forKey: path) {
                throw ImageGenerationFailure(
                    .create(path), "the images '\(owner)' and '\(image)' of \(file) would be this one file",
                    details: ["hint: give them other names or versions"])
            }
        }
    }
}
