import Glibc
import Model
package import SystemPackage

/// What could outlive this process and lies outside of the store, written down before it is acquired: "intent before
/// act". What lies in `work/` needs no entry: there each folder has a lock.
package struct Ledger: Sendable {
    let folder: FilePath

    /// One line of it.
    package struct Entry: Codable, Sendable, Hashable {
        package enum Kind: String, Codable, Sendable {
            /// Files `.NAME.ID` in the folder `path`.
            case temporaryFiles = "temporary-files"
            /// The machine `image-factory-ID` of libvirt, whose connection is `path`.
            case libvirtDomain = "libvirt-domain"
        }

        package var kind: Kind
        package var path: String
        /// What the process marked its own with: a `UniqueName`, also the name of the entry.
        package var id: String
        /// Of the process that acquires it.
        package var boot: String
        package var process: Int32
        /// Its start, in clock ticks since the boot.
        package var started: UInt64
    }

    /// An entry of this process. It stays until `settle`, or until the process is gone and another one has cleaned up.
    package final class Intent: Sendable {
        package let id: String
        private let file: FilePath
        private let lock: FileLock?

        fileprivate init(id: String, file: FilePath, lock: FileLock?) {
            self.id = id
            self.file = file
            self.lock = lock
        }

        /// What was acquired is released, or is what it was to be.
        package func settle() { _ = unlink(file.string) }
    }

    /// Writes down that files under temporary names are about to be made in a folder.
    package func temporaryFiles(in place: FilePath) throws -> Intent {
        try write(.temporaryFiles, try Self.absolute(place).string)
    }

    /// Writes down that a machine of libvirt is about to be defined, under the name `domainName`.
    package func libvirtDomain(of connection: String) throws -> Intent { try write(.libvirtDomain, connection) }

    /// The name of the machine that an intent is about.
    package static func domainName(_ id: String) -> String { "image-factory-" + id }

    private func write(_ kind: Entry.Kind, _ path: String) throws -> Intent {
        let id = UniqueName.make()
        let file = folder.appending(id + ".json")
        let own = RunningProcess.own
        let entry = Entry(
            kind: kind, path: path, id: id, boot: own.boot, process: own.id, started: own.started)
        try DurableFile.write(Array(try Canonical.text(entry).utf8), to: file)
        return Intent(id: id, file: file, lock: FileLock.attempt(existing: file, shared: true))
    }

    /// The entries that can be read, and the names of those that cannot.
    package func entries() -> (entries: [Entry], damaged: [FilePath]) {
        var found: (entries: [Entry], damaged: [FilePath]) = ([], [])
        for name in Folder.names(folder) where !name.string.hasPrefix(".") {
            let path = folder.appending(name)
            if let entry = Self.read(path) { found.entries.append(entry) } else { found.damaged.append(path) }
        }
        return found
    }

    /// What became of a machine of libvirt that is not wanted any more.
    package enum DomainRelease: Sendable {
        case released
        /// libvirt has no such machine. What a program has asked for before it was killed may still come.
        case unknown
        case failed
    }

    /// Removes what processes that are gone have left.
    ///
    /// - Parameter releaseDomain: undefines a machine of libvirt, by connection and name.
    package func reap(releaseDomain: (String, String) async -> DomainRelease) async {
        for name in Folder.names(folder) where !name.string.hasPrefix(".") {
            let path = folder.appending(name)
            guard let entry = Self.read(path), let lock = FileLock.attempt(existing: path, shared: false),
                !RunningProcess(boot: entry.boot, id: entry.process, started: entry.started).isAlive
            else { continue }
            defer { withExtendedLifetime(lock) {} }
            let isGone =
                switch entry.kind {
                case .temporaryFiles: Self.release(entry)
                case .libvirtDomain:
                    switch await releaseDomain(entry.path, Self.domainName(entry.id)) {
                    case .released: true
                    case .unknown: entry.boot != RunningProcess.own.boot || Self.isOld(path)
                    case .failed: false
                    }
                }
            if isGone { _ = unlink(path.string) }
        }
    }

    /// Whether nothing that its process has asked of another one can still be under way.
    private static func isOld(_ entry: FilePath) -> Bool {
        var facts = stat()
        guard lstat(entry.string, &facts) == 0 else { return false }
        return time(nil) - facts.st_mtim.tv_sec > 900
    }

    /// Nil if it is no entry of ours: the name, the id and the path have to be what this program writes.
    private static func read(_ path: FilePath) -> Entry? {
        guard let bytes = try? DurableFile.read(path), let entry = try? Canonical.decode(Entry.self, from: bytes),
            UniqueName.isOne(entry.id), path.lastComponent?.string == entry.id + ".json"
        else { return nil }
        switch entry.kind {
        case .temporaryFiles: return entry.path.hasPrefix("/") ? entry : nil
        case .libvirtDomain: return ["qemu:///system", "qemu:///session"].contains(entry.path) ? entry : nil
        }
    }

    /// False if something is still there.
    private static func release(_ entry: Entry) -> Bool {
        let folder = FilePath(entry.path)
        var done = true
        for name in Folder.names(folder) where name.string.hasPrefix(".") && name.string.hasSuffix("." + entry.id) {
            if unlink(folder.appending(name).string) != 0, errno != ENOENT { done = false }
        }
        return done
    }

    private static func absolute(_ path: FilePath) throws -> FilePath {
        guard let resolved = realpath(path.isEmpty ? "." : path.string, nil) else {
            throw FileFailure.error(Errno(rawValue: errno), "find", path)
        }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }
}

/// A process by what cannot come again: its number does.
struct RunningProcess: Hashable {
    var boot: String
    var id: Int32
    var started: UInt64

    static let own = RunningProcess(boot: currentBoot, id: getpid(), started: start(of: getpid()) ?? 0)

    var isAlive: Bool { boot == Self.currentBoot && Self.start(of: id) == started }

    private static var currentBoot: String {
        let bytes = (try? DurableFile.read("/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }

    /// The field `starttime` of /proc/PID/stat (proc(5)), the 22nd; the 2nd, a name in parentheses, may hold anything.
    private static func start(of process: Int32) -> UInt64? {
        guard let bytes = try? DurableFile.read(FilePath("/proc/\(process)/stat")) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ")
        return fields.count > 20 ? UInt64(fields[20]) : nil
    }
}
