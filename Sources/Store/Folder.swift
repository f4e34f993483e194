import Glibc
import Model
package import SystemPackage

/// Folders of the host, by bytes: names that are not UTF-8 are kept as they are.
package enum Folder {
    /// Makes a folder and those above it.
    package static func make(_ path: FilePath, mode: UInt32 = 0o755) throws {
        guard mkdir(path.string, mode) != 0 else { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            let parent = path.removingLastComponent()
            guard !parent.isEmpty, parent != path else {
                throw FileFailure.error(Errno.noSuchFileOrDirectory, "make the folder", path, code: .cannotCreate)
            }
            try make(parent)
            guard mkdir(path.string, mode) == 0 || errno == EEXIST else {
                throw FileFailure.error(Errno(rawValue: errno), "make the folder", path, code: .cannotCreate)
            }
        default: throw FileFailure.error(Errno(rawValue: errno), "make the folder", path, code: .cannotCreate)
        }
    }

    /// The names in a folder, sorted; empty if there is no such folder or it cannot be read: for what is only tidied up.
    package static func names(_ path: FilePath) -> [FilePath.Component] { (try? list(path)) ?? [] }

    /// The names in a folder, sorted.
    package static func list(_ path: FilePath) throws(Errno) -> [FilePath.Component] {
        guard let handle = opendir(path.string) else { throw Errno(rawValue: errno) }
        defer { closedir(handle) }
        var names: [FilePath.Component] = []
        errno = 0
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath(platformString: $0) }
            }
            if let component = name.lastComponent, component.kind == .regular { names.append(component) }
            errno = 0
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names.sorted { $0.string < $1.string }
    }

    /// Removes a file, or a folder with everything below it, without following links.
    package static func remove(_ path: FilePath) throws(Errno) {
        try remove(path.string, in: AT_FDCWD)
    }

    private static func remove(_ name: String, in parent: Int32) throws(Errno) {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw Errno(rawValue: errno) }
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        // Results are read-only folders; only their owner may empty them.
        _ = fchmod(folder, 0o700)
        guard let handle = fdopendir(folder) else {
            let number = errno
            close(folder)
            throw Errno(rawValue: number)
        }
        defer { closedir(handle) }
        var entries: [[CChar]] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
                }
            }
            if name != [46, 0], name != [46, 46, 0] { entries.append(name) }
        }
        for entry in entries { try remove(bytes: entry, in: folder) }
        guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }

    private static func remove(bytes: [CChar], in parent: Int32) throws(Errno) {
        let name = bytes.withUnsafeBufferPointer { $0.baseAddress.flatMap { String(validatingCString: $0) } }
        if let name { return try remove(name, in: parent) }
        // A name that is no UTF-8 is only found below a tree that was left behind: leave it to the contained removal.
        guard unlinkat(parent, bytes, 0) == 0 else { throw Errno.permissionDenied }
    }
}
