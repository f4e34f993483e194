import Glibc
import Model
import SystemPackage
import Tooling

/// An archive of exactly the packages of a lock (https://wiki.debian.org/DebianRepository/Format, flat form), so that
/// a solver has no choice.
struct PackageArchive {
    /// As the containment of the bootstrap sees it: the index files, and the cached packages below `debs`.
    static let inside = "/mnt/archive"

    let lock: PackageLock
    let cache: PackageCache
    let runner: any CommandRunning

    /// Writes `Packages` and `Release` into a folder that exists, with an empty `debs`.
    func write(to folder: FilePath) async throws {
        guard mkdir(folder.appending("debs").string, 0o755) == 0 else {
            throw FactoryError(.cannotCreate, "cannot make \(folder)/debs: \(Errno(rawValue: errno))")
        }
        try await describe(folder)
        var index = ""
        for package in lock.packages {
            index += try control(of: package)
            index += "Filename: debs/\(PackageCache.name(of: package))\nSize: \(package.size)\n"
            index += "SHA256: \(package.digest.hex)\n\n"
        }
        try WholeFile.write(index, folder.appending("Packages"))
        // mmdebstrap looks for what is essential in the suite of this name.
        try WholeFile.write(
            """
            Suite: \(lock.suite)
            Codename: \(lock.suite)
            Architectures: \(lock.architecture.rawValue)
            Date: \(RFC2822.text(lock.date))
            SHA256:
             \(Digest(of: Array(index.utf8)).hex) \(index.utf8.count) Packages

            """, folder.appending("Release"))
    }

    /// The control fields of a package, without an empty line at the end.
    private func control(of package: LockedPackage) throws -> String {
        guard var text = keptControl(of: package) else {
            throw FactoryError(
                .definition, "the lock's package \(package.name) \(package.version) is another one by its own fields",
                remedy: "make the lock anew: --update-lock")
        }
        while text.hasSuffix("\n\n") { text.removeLast() }
        return text
    }

    /// Nil if they are not there, or not those of the package: they are not synced, so a power cut may have cut them.
    private func keptControl(of package: LockedPackage) -> String? {
        guard let text = try? WholeFile.text(cache.fields(of: package)), text.hasPrefix("Package: \(package.name)\n"),
            text.contains("\nVersion: \(package.version)\n"), text.hasSuffix("\n"), !text.utf8.contains(0)
        else { return nil }
        return text
    }

    private func describe(_ folder: FilePath) async throws {
        let unknown = lock.packages.filter { keptControl(of: $0) == nil }
        guard !unknown.isEmpty else { return }
        let out = folder.appending("fields")
        guard mkdir(out.string, 0o755) == 0 else {
            throw FactoryError(.cannotCreate, "cannot make \(out): \(Errno(rawValue: errno))")
        }
        try Containment.handOver(out)
        try WholeFile.write(unknown.map { $0.digest.hex + "\n" }.joined(), folder.appending("unknown"))
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(64),
            binds: [
                .init(source: out, target: "/mnt/out", writable: true),
                .init(source: cache.folder, target: "/mnt/debs"),
                .init(source: folder.appending("unknown"), target: "/mnt/names"),
            ])
        try await runner.runChecked(
            Command(
                "sh",
                [
                    "-e", "-c",
                    "while read -r name; do dpkg-deb --field \"/mnt/debs/$name.deb\" > \"/mnt/out/$name\"; done < /mnt/names",
                ], containment: containment), activity: "reading the fields of the packages")
        for package in unknown {
            let source = out.appending(package.digest.hex)
            if geteuid() == 0 { _ = lchown(source.string, 0, 0) }
            guard rename(source.string, cache.fields(of: package).string) == 0 else {
                throw FactoryError(.inputOutput, "cannot keep \(cache.fields(of: package)): \(Errno(rawValue: errno))")
            }
        }
    }
}

/// Dates in the form of RFC 2822, in UTC.
enum RFC2822 {
    static func text(_ seconds: UInt64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
    }
}
