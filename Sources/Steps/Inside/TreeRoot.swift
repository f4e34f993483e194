import CLinux
import Glibc
import Model
import SystemPackage

/// A tree that is edited from outside it: every path is resolved as if the tree were the root, so that a link in it
/// leads nowhere else. Paths are absolute, as in the image.
private let pathOnly = Int32(if_path_only)

final class TreeRoot {
    let path: FilePath
    private let folder: Int32

    init(_ path: FilePath) throws {
        self.path = path
        folder = open(path.string, pathOnly | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw TreeRoot.failure("open the tree", path.string) }
    }

    deinit { close(folder) }

    /// The bytes of a file, or nil if there is none.
    func read(_ file: String) throws -> [UInt8]? {
        let descriptor = if_open_in_root(folder, file, UInt64(O_RDONLY | O_CLOEXEC), 0)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw TreeRoot.failure("read", file)
        }
        return try FileDescriptor(rawValue: descriptor).closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                guard count >= 0 else { throw TreeRoot.failure("read", file) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }

    /// The bytes of a regular file of at most `limit` bytes, or nil if it is none: for what the tree's packages wrote.
    func read(_ file: String, atMost limit: Int) throws -> [UInt8]? {
        // A pipe or a device is opened without waiting for its other end, and then left alone.
        let descriptor = if_open_in_root(folder, file, UInt64(O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), 0)
        guard descriptor >= 0 else { return nil }
        return try FileDescriptor(rawValue: descriptor).closeAfter {
            var facts = stat()
            guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= limit else {
                return nil
            }
            var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
            var at = 0
            while at < bytes.count {
                let count = bytes.withUnsafeMutableBytes { buffer in
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[at...])
                    return Glibc.read(descriptor, rest.baseAddress, rest.count)
                }
                guard count >= 0 else { throw TreeRoot.failure("read", file) }
                if count == 0 { break }
                at += count
            }
            return Array(bytes[..<at])
        }
    }

    func text(_ file: String) throws -> String? {
        try read(file).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes a file in place of what has its name, with the folders above it. The default owner is root.
    func write(_ bytes: [UInt8], to file: String, mode: mode_t = 0o644, user: uid_t = 0, group: gid_t = 0) throws {
        try inParent(of: file) { parent, name in
            if unlinkat(parent, name, 0) != 0, errno != ENOENT { throw TreeRoot.failure("replace", file) }
            let descriptor = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw TreeRoot.failure("write", file) }
            try FileDescriptor(rawValue: descriptor).closeAfter {
                _ = try FileDescriptor(rawValue: descriptor).writeAll(bytes)
                // The owner first: changing it takes setuid away.
                guard fchown(descriptor, user, group) == 0, fchmod(descriptor, mode) == 0 else {
                    throw TreeRoot.failure("set owner and mode of", file)
                }
            }
        }
    }

    func write(_ text: String, to file: String, mode: mode_t = 0o644) throws {
        try write(Array(text.utf8), to: file, mode: mode)
    }

    /// Replaces the content of a file and keeps its owner and mode; a new one is root's, 0644.
    func rewrite(_ text: String, _ file: String) throws {
        let facts = try status(file)
        try write(
            Array(text.utf8), to: file, mode: facts.map { $0.st_mode & 0o7777 } ?? 0o644, user: facts?.st_uid ?? 0,
            group: facts?.st_gid ?? 0)
    }

    func link(_ file: String, to target: String) throws {
        try inParent(of: file) { parent, name in
            if unlinkat(parent, name, 0) != 0, errno != ENOENT { throw TreeRoot.failure("replace", file) }
            guard symlinkat(target, parent, name) == 0 else { throw TreeRoot.failure("link", file) }
        }
    }

    /// Makes a folder and those above it; an existing one keeps its owner and mode.
    func makeFolder(_ file: String, mode: mode_t = 0o755, user: uid_t = 0, group: gid_t = 0) throws {
        if try status(file) != nil { return }
        try inParent(of: file) { parent, name in
            guard mkdirat(parent, name, mode) == 0 else { throw TreeRoot.failure("make the folder", file) }
            guard fchownat(parent, name, user, group, AT_SYMLINK_NOFOLLOW) == 0,
                fchmodat(parent, name, mode, 0) == 0
            else { throw TreeRoot.failure("set owner and mode of", file) }
        }
    }

    func exists(_ file: String) throws -> Bool { try status(file) != nil }

    /// What the path leads to, links followed inside the tree; nil if nothing.
    func status(_ file: String) throws -> stat? {
        let descriptor = if_open_in_root(folder, file, UInt64(pathOnly | O_CLOEXEC), 0)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw TreeRoot.failure("look at", file)
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw TreeRoot.failure("look at", file) }
        return facts
    }

    /// The names in a folder, sorted; empty if there is none.
    func names(_ file: String) throws -> [String] {
        let descriptor = if_open_in_root(folder, file, UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0)
        guard descriptor >= 0 else { return [] }
        guard let handle = fdopendir(descriptor) else {
            close(descriptor)
            return []
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a folder with what is in it; nothing if it is not there.
    func remove(_ file: String) throws {
        guard let parent = try? openParent(file) else { return }
        defer { close(parent) }
        try remove(FilePath(file).lastComponent?.string ?? "", in: parent, file)
    }

    /// Removes what is in a folder, and keeps it.
    func empty(_ file: String) throws {
        for name in try names(file) { try remove(file + "/" + name) }
    }

    private func remove(_ name: String, in parent: Int32, _ file: String) throws {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw TreeRoot.failure("remove", file) }
        for entry in try names(file) {
            let inner = if_open_in_root(folder, file, UInt64(pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), 0)
            guard inner >= 0 else { throw TreeRoot.failure("remove", file) }
            defer { close(inner) }
            try remove(entry, in: inner, file + "/" + entry)
        }
        guard unlinkat(parent, name, AT_REMOVEDIR) == 0 else { throw TreeRoot.failure("remove", file) }
    }

    private func inParent(of file: String, _ body: (Int32, String) throws -> Void) throws {
        let above = FilePath(file).removingLastComponent().string
        if above != "/", try status(above) == nil { try makeFolder(above) }
        let parent = try openParent(file)
        defer { close(parent) }
        try body(parent, FilePath(file).lastComponent?.string ?? "")
    }

    private func openParent(_ file: String) throws -> Int32 {
        let above = FilePath(file).removingLastComponent().string
        let parent = if_open_in_root(folder, above, UInt64(pathOnly | O_DIRECTORY | O_CLOEXEC), 0)
        guard parent >= 0 else { throw TreeRoot.failure("open the folder", above) }
        return parent
    }

    private static func failure(_ verb: String, _ file: String) -> FactoryError {
        FactoryError(.inputOutput, "cannot \(verb) \(file) in the image: \(Errno(rawValue: errno))")
    }
}
