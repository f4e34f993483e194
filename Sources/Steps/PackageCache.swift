import DiskFormats
import Engine
import Glibc
import Model
package import SystemPackage
package import Tooling

/// Whether what was downloaded is what the signed lists name.
package enum DownloadCheck {
    /// What is wrong with a folder of package lists, or nil: each list has to have the digest that its signed index
    /// names.
    package static func damage(ofLists folder: FilePath) async throws -> String? {
        let names = try FileNames.list(folder)
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

    /// The cached packages, and what else guests downloaded, whose name is not their digest, and what is no file.
    package static func damagedPackages(in folder: FilePath) async throws -> [FilePath] {
        var damaged: [FilePath] = []
        for name in try FileNames.list(folder) where !name.hasPrefix(".") && !name.hasSuffix(".control") {
            let path = folder.appending(name)
            let ending = name.drop { $0 != "." }
            var facts = stat()
            guard lstat(path.string, &facts) == 0 else { continue }
            guard facts.st_mode & S_IFMT == S_IFREG, try await FileDigest.compute(path).hex + ending == name else {
                damaged.append(path)
                continue
            }
        }
        return damaged
    }

    /// The kept control fields that are not those of their packages, by asking dpkg-deb anew. Those without a package
    /// are not used before a package is there, and then they are made again.
    ///
    /// - Parameter damaged: packages that are not what their names say; they are not opened.
    package static func damagedFields(
        in folder: FilePath, except damaged: [FilePath], runner: any CommandRunning
    ) async throws -> [FilePath] {
        let names = Set(try FileNames.list(folder))
        let skipped = Set(damaged.compactMap { $0.lastComponent?.string })
        let digests = names.filter { $0.hasSuffix(".deb") && !skipped.contains($0) }.compactMap { name in
            let digest = String(name.dropLast(".deb".count))
            return names.contains(digest + ".control") ? digest : nil
        }.sorted()
        var wrong: [FilePath] = []
        for start in stride(from: 0, to: digests.count, by: 200) {
            let some = Array(digests[start..<min(start + 200, digests.count)])
            let fields = try await fields(of: some, in: folder, runner)
            for (digest, expected) in zip(some, fields) {
                let path = folder.appending(digest + ".control")
                if try await FileDigest.compute(path).hex != expected { wrong.append(path) }
            }
        }
        return wrong
    }

    /// The digests of packages' control fields, in the order of the packages.
    private static func fields(
        of digests: [String], in folder: FilePath, _ runner: any CommandRunning
    ) async throws -> [String] {
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(16),
            binds: [.init(source: folder, target: "/mnt/debs")])
        let script = "for name; do dpkg-deb --field \"/mnt/debs/$name.deb\" | sha256sum; done"
        let result = try await runner.runChecked(
            Command("sh", ["-e", "-c", script, "sh"] + digests, containment: containment),
            activity: "reading the fields of the packages")
        let fields = result.text.split(separator: "\n").map { String($0.prefix(64)) }
        guard fields.count == digests.count else {
            throw FactoryError(.failed, "the fields of the packages in \(folder) cannot be read")
        }
        return fields
    }
}

enum FileNames {
    /// In a folder, sorted; what is no UTF-8 is nothing of ours.
    static func list(_ folder: FilePath) throws -> [String] {
        guard let handle = opendir(folder.string) else {
            throw FileFailure.error(Errno(rawValue: errno), "list", folder)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.sorted()
    }
}

/// Downloaded packages, each under its digest: a file of another name is none, one with other bytes is removed.
struct PackageCache {
    let folder: FilePath

    struct State {
        /// Not there.
        var missing: [LockedPackage] = []
        /// There with other bytes.
        var altered: [LockedPackage] = []
    }

    func path(of package: LockedPackage) -> FilePath { folder.appending(Self.name(of: package)) }

    static func name(of package: LockedPackage) -> String { package.digest.hex + ".deb" }

    /// The control fields of a package, kept beside it: reading those of 200 packages takes a second.
    func fields(of package: LockedPackage) -> FilePath { folder.appending(package.digest.hex + ".control") }

    /// Compares every package with its digest.
    func check(_ packages: [LockedPackage]) async throws -> State {
        var state = State()
        for package in packages {
            let path = path(of: package)
            guard access(path.string, F_OK) == 0 else {
                state.missing.append(package)
                continue
            }
            guard try await FileDigest.compute(path) == package.digest else {
                state.altered.append(package)
                continue
            }
            // The time of last use decides what prune removes.
            _ = utimensat(AT_FDCWD, path.string, nil, 0)
        }
        return state
    }

    /// Takes a downloaded file in, whole or not at all.
    func keep(_ file: FilePath, as package: LockedPackage) async throws {
        guard try await FileDigest.compute(file) == package.digest else {
            throw FactoryError(
                .failed,
                "the mirror's file of the package \(package.name) \(package.version) is not the one of the lock",
                remedy: "choose another mirror by base.bootstrap.mirror")
        }
        if geteuid() == 0 { _ = lchown(file.string, 0, 0) }
        _ = chmod(file.string, 0o644)
        // Kept fields of a package that was not there: nothing could compare them with it.
        _ = unlink(fields(of: package).string)
        guard rename(file.string, path(of: package).string) == 0 else {
            throw FactoryError(.inputOutput, "cannot keep \(path(of: package)): \(Errno(rawValue: errno))")
        }
    }
}

/// Gets packages from the mirrors by apt, each compared with its digest.
struct PackageFetch {
    let cache: PackageCache
    let environment: StepEnvironment

    /// `folder` takes what is under way.
    func fetch(_ packages: [LockedPackage], into folder: FilePath, report: StepReport) async throws {
        guard mkdir(folder.string, 0o755) == 0 || errno == EEXIST else {
            throw FactoryError(.cannotCreate, "cannot make \(folder): \(Errno(rawValue: errno))")
        }
        try Containment.handOver(folder)
        let containment = Containment(
            identities: .caller, network: .host, workSize: .mebi(16),
            binds: [.init(source: folder, target: "/mnt/new", writable: true)])
        var arguments = [
            "download-file", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "-o", "Dir::Log=/mnt/tmp",
        ]
        for package in packages {
            guard let mirror = environment.mirrors[package.archive] else {
                throw FactoryError(
                    .unavailable,
                    "there is no mirror for the archive '\(package.archive)' of the package \(package.name)")
            }
            arguments += [
                mirror + "/" + Self.quote(package.file), "/mnt/new/" + PackageCache.name(of: package),
                "SHA256:" + package.digest.hex,
            ]
        }
        let failure = AptFailure()
        let total = packages.reduce(0) { $0 + $1.size }
        report.log("fetching \(packages.count) packages, \(ByteCount(total))")
        let command = Command("/usr/lib/apt/apt-helper", arguments, containment: containment)
        let result = try await environment.runner.run(command) { _, line in
            report.log(line)
            failure.see(line)
        }
        for package in packages {
            let file = folder.appending(PackageCache.name(of: package))
            guard access(file.string, R_OK) == 0 else {
                let reason = failure.explanation(offline: false)?.message ?? result.reason ?? "no message"
                throw FactoryError(
                    .unavailable, "cannot fetch the package \(package.name) \(package.version): \(reason)",
                    remedy: "check the network and the mirror; if the mirror no longer has it, run with --update-lock")
            }
            try await cache.keep(file, as: package)
        }
    }

    /// As a part of a URI: what apt itself quotes.
    private static func quote(_ path: String) -> String {
        path.utf8.reduce(into: "") { text, byte in
            if byte == UInt8(ascii: "+") { text += "%2b" } else { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        }
    }
}
