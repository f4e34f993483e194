import Glibc
import SystemPackage

/// Which file a path leads to, whatever it is called: what is read must not be the place of what is written.
struct FilePlace: Hashable {
    private enum Key: Hashable {
        case file(device: dev_t, number: ino_t)
        /// There is nothing yet.
        case name(String)
    }

    private let key: Key

    init(_ path: FilePath) {
        var facts = stat()
        if stat(path.string, &facts) == 0 {
            key = .file(device: facts.st_dev, number: facts.st_ino)
            return
        }
        let folder = path.removingLastComponent()
        let real = realpath(folder.isEmpty ? "." : folder.string, nil)
        defer { free(real) }
        let place = real.map { FilePath(platformString: $0) } ?? folder.lexicallyNormalized()
        key = .name(place.appending(path.lastComponent?.string ?? "").string)
    }
}
