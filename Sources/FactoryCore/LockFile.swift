import Engine
import Glibc
import Model
import Steps
import Store
import SystemPackage

/// What a build does with the lock beside its definition.
package enum LockUse: Sendable, Hashable {
    /// Nothing: the packages are the newest of the suites.
    case none
    /// Exactly its packages are installed, and no mirror is asked for newer ones.
    case locked
    /// The newest packages are chosen, and the lock is written.
    case update
}

/// `NAME.lock` beside a definition: the packages of its tree.
struct LockFile {
    /// Some hundred thousand packages.
    private static let largest = 64 << 20

    let path: FilePath

    /// NAME is the image's.
    init(_ definition: ImageDefinition, at path: FilePath) {
        self.path = path.removingLastComponent().appending(definition.name + ".lock")
    }

    /// A lock lies beside a file: a definition from a pipe, or /dev/stdin, has no place for it.
    func requirePlace(beside definition: FilePath) throws {
        var facts = stat()
        let isFile = stat(definition.string, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
        guard isFile, !["/dev", "/proc"].contains(where: { definition.starts(with: $0) }) else {
            throw FactoryError(
                .usage, "a lock lies beside its definition, and \(definition) is no file of a folder",
                remedy: "give the path of the definition's file")
        }
    }

    func read() throws -> PackageLock {
        guard access(path.string, F_OK) == 0 else {
            throw FactoryError(.missingInput, "there is no lock \(path)", remedy: "make it: build with --update-lock")
        }
        let bytes: [UInt8]
        do {
            bytes = try DurableFile.read(path, limit: Self.largest)
        } catch {
            throw FactoryError(.missingInput, "cannot read the lock \(path): \(error)")
        }
        return try PackageLock.read(bytes, name: path.string)
    }

    func write(_ lock: PackageLock) throws {
        try DurableFile.write(Array(try lock.text().utf8), to: path)
    }

    /// A lock is of one system, and has what the definition asks for.
    func check(_ lock: PackageLock, fits wanted: PackageResolver.Request) throws {
        func refusal(_ reason: String) -> FactoryError {
            FactoryError(
                .definition, "\(path) does not fit the definition: \(reason)", remedy: "make it anew: --update-lock")
        }
        guard lock.distribution == wanted.distribution, lock.suite == wanted.suite,
            lock.architecture == wanted.architecture
        else {
            throw refusal(
                "it is of \(lock.distribution) \(lock.suite) for \(lock.architecture.rawValue), not of "
                    + "\(wanted.distribution) \(wanted.suite) for \(wanted.architecture.rawValue)")
        }
        guard lock.components == wanted.components else { throw refusal("its components are others") }
        if let missing = wanted.packages.first(where: { !lock.requested.contains($0) }) {
            throw refusal("it was made without the package '\(missing)'")
        }
        if let extra = lock.requested.first(where: { !wanted.packages.contains($0) }) {
            throw refusal("it was made with the package '\(extra)', which is no longer asked for")
        }
    }
}

/// Choices of packages that were made before: the same lists and packages give the same choice.
struct KeptResolutions {
    private let opened: FolderStore
    private var folder: FilePath { opened.root.appending("resolutions") }

    init(_ opened: FolderStore) { self.opened = opened }

    func lock(
        _ request: PackageResolver.Request, apt: String,
        make: (_ scratch: FilePath) async throws -> PackageLock
    ) async throws -> PackageLock {
        struct Key: Encodable {
            var request: PackageResolver.Request
            var apt: String
        }
        let path = folder.appending(try Canonical.digest(Key(request: request, apt: apt)).hex)
        if let bytes = try? DurableFile.read(path), let lock = try? Canonical.decode(PackageLock.self, from: bytes) {
            _ = utimensat(AT_FDCWD, path.string, nil, 0)
            return lock
        }
        let lock = try await opened.withWorkFolder(make)
        try DurableFile.write(try Canonical.bytes(lock), to: path)
        return lock
    }
}
