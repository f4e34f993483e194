import DiskFormats
import Glibc
package import Model
package import SystemPackage

/// What guests have downloaded: contents by digest, beside the packages of bootstraps, and what is known of each URL.
/// Several guests and builds use it at once: a file appears whole, under its last name.
package struct GuestCache: Sendable {
    /// What is known of a URL.
    package struct Entry: Hashable, Sendable, Codable {
        package var url: String
        package var digest: Digest
        package var size: UInt64
        package var type: String?
        package var etag: String?
        package var lastModified: String?

        package init(
            url: String, digest: Digest, size: UInt64, type: String? = nil, etag: String? = nil,
            lastModified: String? = nil
        ) {
            self.url = url
            self.digest = digest
            self.size = size
            self.type = type
            self.etag = etag
            self.lastModified = lastModified
        }
    }

    /// Of files named `DIGEST.SUFFIX`: the store's `packages`.
    let contents: FilePath
    /// Of entries named by the digest of their URL: the store's `urls`.
    let index: FilePath

    package init(contents: FilePath, index: FilePath) {
        self.contents = contents
        self.index = index
    }

    /// Of a store.
    package init(store: FilePath) {
        self.init(contents: store.appending("packages"), index: store.appending("urls"))
    }

    /// What is known of a URL; nil also where that was damaged.
    func entry(of url: ProxyURL) -> Entry? {
        guard let bytes = try? WholeFile.bytes(place(of: url)),
            let entry = try? Canonical.decode(Entry.self, from: bytes),
            entry.url == url.description
        else { return nil }
        return entry
    }

    /// The content of an entry, if it is there in full length.
    func open(_ entry: Entry, of url: ProxyURL) -> FileDescriptor? {
        let path = file(of: entry.digest, url)
        guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow]) else {
            return nil
        }
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, UInt64(facts.st_size) == entry.size
        else {
            try? file.close()
            return nil
        }
        // The time of last use decides what prune removes.
        _ = utimensat(AT_FDCWD, path.string, nil, 0)
        _ = utimensat(AT_FDCWD, place(of: url).string, nil, 0)
        return file
    }

    /// Takes a downloaded file in, which is on the same filesystem, and remembers its URL.
    func keep(_ download: FilePath, _ entry: Entry, of url: ProxyURL) throws {
        if geteuid() == 0 { _ = lchown(download.string, 0, 0) }
        _ = chmod(download.string, 0o644)
        try WholeFile.sync(download)
        guard rename(download.string, file(of: entry.digest, url).string) == 0 else { throw Errno(rawValue: errno) }
        try remember(entry, of: url)
    }

    /// Remembers what a URL's content is, also for a content that is here by other ways.
    func remember(_ entry: Entry, of url: ProxyURL) throws {
        let path = place(of: url)
        let temporary = index.appending(".\(entry.digest.hex.prefix(16)).\(UInt64.random(in: .min ... .max))")
        do {
            try WholeFile.write(try Canonical.text(entry), temporary)
            guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            _ = unlink(temporary.string)
            throw error
        }
    }

    /// Remembers the packages of a lock that a bootstrap has, so that guests need not download them.
    func remember(_ packages: [LockedPackage], from mirrors: [String: String]) {
        for package in packages {
            guard let mirror = mirrors[package.archive], let url = ProxyURL(mirror + "/" + package.file),
                entry(of: url)?.digest != package.digest
            else { continue }
            // Without it a guest downloads the package once more, which is no reason to fail.
            try? remember(Entry(url: url.description, digest: package.digest, size: package.size), of: url)
        }
    }

    private func place(of url: ProxyURL) -> FilePath {
        index.appending(Digest(of: Array(url.description.utf8)).hex + ".json")
    }

    private func file(of digest: Digest, _ url: ProxyURL) -> FilePath {
        contents.appending("\(digest.hex).\(ContentKind(url).suffix)")
    }
}

/// What a URL's path tells of its content.
struct ContentKind: Hashable, Sendable {
    /// Of the file in the cache.
    let suffix: String
    /// Whether the content never changes: its name has its version or its digest.
    let isFixed: Bool

    var isPackage: Bool { suffix != Self.other }

    private static let other = "file"
    private static let packages: Set = ["deb", "udeb", "ddeb", "rpm", "drpm"]

    init(_ url: ProxyURL) {
        let path = url.path.prefix { $0 != "?" }
        let name = path.split(separator: "/").last ?? ""
        let ending = name.split(separator: ".").last.map(String.init) ?? ""
        suffix = Self.packages.contains(ending) ? ending : Self.other
        // The lists of createrepo: DIGEST-primary.xml.gz.
        let digits = name.prefix { $0.isHexDigit && $0.isASCII }.utf8.count
        let isNamedByDigest = path.contains("/repodata/") && [40, 64, 96, 128].contains(digits)
        isFixed = suffix != Self.other || path.contains("/by-hash/") || isNamedByDigest
    }
}
