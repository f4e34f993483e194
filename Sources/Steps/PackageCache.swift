import DiskFormats
import Glibc
import Model
package import SystemPackage

/// Whether what was downloaded is what the signed lists name.
package enum DownloadCheck {
    /// What is wrong with a folder of package lists, or nil: each list has to have the digest that its signed index
    /// names.
    package static func damage(ofLists folder: FilePath) async throws -> String? {
        let names = try PackageCache.list(folder, suffix: "")
        let indexes = names.filter { $0.hasSuffix("_InRelease") }
        guard !indexes.isEmpty else { return "it has no index of a release" }
        for index in indexes {
            let prefix = String(index.dropLast("InRelease".count))
            let text = try WholeFile.text(folder.appending(index))
            let known = InRelease.digests(text)
            for list in names where list.hasPrefix(prefix) && list.hasSuffix("_Packages") {
                let path = String(list.dropFirst(prefix.count)).replacing("_", with: "/")
                guard let expected = known[path] else { continue }
                guard try await FileDigest.compute(folder.appending(list)).hex == expected else {
                    return "its list \(list) is not the one that its index names"
                }
            }
        }
        return nil
    }

    /// The packages that the lists know with another digest.
    package static func damagedPackages(in folder: FilePath, lists: [FilePath]) async throws -> [FilePath] {
        var known: [String: String] = [:]
        for folder in lists {
            for list in try PackageCache.list(folder, suffix: "_Packages") {
                try PackageList.collectDigests(folder.appending(list), into: &known)
            }
        }
        var damaged: [FilePath] = []
        for name in try PackageCache.list(folder, suffix: ".deb") {
            guard let expected = known[PackageCache.archiveName(name)] else { continue }
            let path = folder.appending(name)
            if try await FileDigest.compute(path).hex != expected { damaged.append(path) }
        }
        return damaged
    }
}

/// Downloaded packages. apt takes a file in its archives folder for the right one if its size is right, so each is
/// compared with the digest in the signed lists before it is handed over.
struct PackageCache {
    let folder: FilePath

    /// The names of the files that the lists know with the digest that they have, sorted.
    func usable(lists: FilePath) async throws -> [String] {
        let cached = try Self.list(folder, suffix: ".deb")
        guard !cached.isEmpty else { return [] }
        var known: [String: String] = [:]
        for list in try Self.list(lists, suffix: "_Packages") {
            try PackageList.collectDigests(lists.appending(list), into: &known)
        }
        var usable: [String] = []
        for name in cached {
            // apt escapes the colon of an epoch in its file names; the lists leave the epoch out.
            guard let expected = known[Self.archiveName(name)] else { continue }
            let path = folder.appending(name)
            guard try await FileDigest.compute(path).hex == expected else {
                _ = unlink(path.string)
                continue
            }
            // The time of last use decides what prune removes.
            _ = utimensat(AT_FDCWD, path.string, nil, 0)
            usable.append(name)
        }
        return usable
    }

    /// `name_1%3a2.0-1_amd64.deb` is `name_2.0-1_amd64.deb` in an archive's pool.
    static func archiveName(_ file: String) -> String {
        let parts = file.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let colon = parts[1].firstRange(of: "%3a") else { return file }
        return "\(parts[0])_\(parts[1][colon.upperBound...])_\(parts[2])"
    }

    static func list(_ folder: FilePath, suffix: String) throws -> [String] {
        guard let handle = opendir(folder.string) else {
            throw FileFailure.error(Errno(rawValue: errno), "list", folder)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted()
    }
}

/// A Packages file (https://wiki.debian.org/DebianRepository/Format): 60 MB of which two fields matter here.
enum PackageList {
    /// SHA256 of each package by the last part of its Filename.
    static func collectDigests(_ path: FilePath, into digests: inout [String: String]) throws {
        let bytes = try WholeFile.bytes(path)
        var file: String?
        var digest: String?
        bytes.withUnsafeBytes { whole in
            var at = 0
            while at < whole.count {
                let end = next(0x0a, in: whole, from: at)
                let line = UnsafeRawBufferPointer(rebasing: whole[at..<end])
                if line.isEmpty {
                    if let file, let digest { digests[file] = digest }
                    (file, digest) = (nil, nil)
                } else if line[0] == UInt8(ascii: "F"), line.starts(with: "Filename: ".utf8) {
                    let name = line.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
                    file = String(decoding: name, as: UTF8.self)
                } else if line[0] == UInt8(ascii: "S"), line.starts(with: "SHA256: ".utf8) {
                    digest = String(decoding: line.dropFirst(8), as: UTF8.self)
                }
                at = end + 1
            }
        }
        if let file, let digest { digests[file] = digest }
    }

    private static func next(_ byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(byte), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(found) - base
    }
}
