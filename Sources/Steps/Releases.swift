import Glibc
package import Model
package import SystemPackage
package import Tooling

/// Which suites a definition needs, from which mirrors.
package struct ReleaseRequest: Sendable {
    package struct Suite: Sendable, Codable {
        package var archive: String
        package var name: String

        package init(archive: String, name: String) {
            self.archive = archive
            self.name = name
        }
    }

    package var suites: [Suite]
    package var components: [String]
    package var architecture: Architecture
    package var keyring: FilePath
    /// The Debian package that brings the keyring, for the remedy when it is missing.
    package var keyringPackage: String
    package var mirrors: [String: String]

    package init(
        suites: [Suite], components: [String], architecture: Architecture, keyring: FilePath, keyringPackage: String,
        mirrors: [String: String]
    ) {
        self.suites = suites
        self.components = components
        self.architecture = architecture
        self.keyring = keyring
        self.keyringPackage = keyringPackage
        self.mirrors = mirrors
    }

    /// Two requests with one key share a folder of package lists.
    fileprivate func key() throws -> String {
        struct Key: Encodable {
            var suites: [Suite]
            var components: [String]
            var architecture: Architecture
            var keyring: String
            var mirrors: [String: String]
        }
        let value = Key(
            suites: suites, components: components, architecture: architecture, keyring: keyring.string,
            mirrors: mirrors)
        return String(try Canonical.digest(value).hex.prefix(16))
    }
}

/// The package lists of some suites as they stood at one time: a folder named after the digests of their InRelease files.
package enum ReleaseSnapshot {
    package static func name(of releases: [SuiteRelease], _ components: [String]) -> String {
        let text = releases.map { "\($0.archive)/\($0.suite)=\($0.inRelease.hex)" } + components
        return Digest(of: Array(text.joined(separator: "\n").utf8)).hex
    }
}

/// Asks the mirrors for the suites' signed indexes through apt, which makes one conditional request for each, checks
/// signatures, dates and the lists that the indexes name, and fails if any of it does.
package struct ReleaseResolver: Sendable {
    private let runner: any CommandRunning
    private let apt: FilePath
    private let releases: FilePath

    /// `apt` and `releases` are folders of the store.
    package init(runner: any CommandRunning, apt: FilePath, releases: FilePath) {
        self.runner = runner
        self.apt = apt
        self.releases = releases
    }

    /// The releases, in the order of the request's suites, with their lists in the store. The caller holds the lock
    /// of the request's folder. Offline, the last known ones.
    package func resolve(_ request: ReleaseRequest, offline: Bool) async throws -> [SuiteRelease] {
        let folder = apt.appending(try request.key())
        guard access(request.keyring.string, R_OK) == 0 else {
            throw FactoryError(
                .unavailable, "the keyring \(request.keyring) cannot be read",
                remedy: request.keyring.starts(with: "/usr/share/keyrings")
                    ? "install it: apt-get install \(request.keyringPackage)"
                    : "give the path of a keyring that you may read as base.bootstrap.keyring")
        }
        if !offline { try await update(request, in: folder) }
        let lists = folder.appending("state").appending("lists")
        let found = try request.suites.map { suite in
            let path = lists.appending("_mnt_apt_\(suite.archive)_dists_\(suite.name)_InRelease")
            guard let bytes = try? WholeFile.bytes(path) else {
                throw FactoryError(
                    .unavailable, "the release '\(suite.name)' is not known yet",
                    remedy: offline ? "run it once without --offline" : "check the mirror \(request.mirrors)")
            }
            return SuiteRelease(
                archive: suite.archive, suite: suite.name, inRelease: Digest(of: bytes),
                date: InRelease.date(String(decoding: bytes, as: UTF8.self)) ?? 0)
        }
        try keep(lists, as: ReleaseSnapshot.name(of: found, request.components))
        return found
    }

    /// The name of the lock to hold while a request is resolved.
    package func lock(for request: ReleaseRequest) throws -> FilePath {
        apt.appending(try request.key() + ".lock")
    }

    private func update(_ request: ReleaseRequest, in folder: FilePath) async throws {
        let state = folder.appending("state")
        for path in [folder, state, folder.appending("mirrors")]
        where mkdir(path.string, 0o755) != 0 && errno != EEXIST {
            throw FactoryError(.cannotCreate, "cannot make \(path): \(Errno(rawValue: errno))")
        }
        try Containment.handOver(state)
        try MirrorLists.write(request.mirrors, to: folder.appending("mirrors"))
        let lines = request.suites.map { suite in
            "deb [arch=\(request.architecture.rawValue) signed-by=/mnt/keyring] mirror+file:/mnt/apt/\(suite.archive) "
                + "\(suite.name) \(request.components.joined(separator: " "))\n"
        }
        try WholeFile.write(lines.joined(), folder.appending("sources.list"))
        try WholeFile.write(
            AptConfiguration.text(
                request.architecture, state: "/mnt/state", lists: "/mnt/state/lists", status: "/mnt/state/status",
                further: """
                    APT::Update::Error-Mode "any";
                    Acquire::Retries "3";
                    // The lists are only fetched here: parsing them is the resolver's work.
                    pkgCacheFile::Generate "false";

                    """), folder.appending("apt.conf"))
        let containment = Containment(
            identities: .range, network: .host, workSize: .mebi(512),
            binds: [
                .init(source: state, target: "/mnt/state", writable: true),
                .init(source: folder.appending("mirrors"), target: "/mnt/apt", writable: false),
                .init(source: folder.appending("sources.list"), target: "/mnt/sources.list", writable: false),
                .init(source: folder.appending("apt.conf"), target: "/mnt/apt.conf", writable: false),
                .init(source: request.keyring, target: "/mnt/keyring", writable: false),
            ])
        let command = Command(
            "apt-get", ["update", "--quiet"], environment: ["APT_CONFIG": "/mnt/apt.conf"], containment: containment)
        let failure = AptFailure()
        let result = try await runner.run(command) { _, line in failure.see(line) }
        guard result.succeeded else {
            let mirrors = Set(request.mirrors.values).sorted().joined(separator: ", ")
            let found = failure.explanation(offline: false)
            throw FactoryError(
                .unavailable,
                "apt could not fetch or verify the package lists from \(mirrors): "
                    + (found?.message ?? result.lastLines.last ?? "no message"),
                remedy: found?.remedy ?? "check the mirror and the network, or use --offline with what is cached")
        }
    }

    /// Hard links of the lists under the name of what they are: apt replaces its files and never edits them. They are
    /// made beside the lists, whose lock the caller holds, so that what a killed process left is known as nobody's.
    private func keep(_ lists: FilePath, as name: String) throws {
        let target = releases.appending(name)
        guard access(target.string, F_OK) != 0 else { return }
        let temporary = lists.removingLastComponent().removingLastComponent().appending("kept")
        ScratchFolder.removeFlat(temporary.string)
        do {
            guard mkdir(temporary.string, 0o755) == 0, let handle = opendir(lists.string) else {
                throw Errno(rawValue: errno)
            }
            defer { closedir(handle) }
            while let entry = readdir(handle) {
                let file = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard file.hasSuffix("_InRelease") || file.hasSuffix("_Packages") else { continue }
                let made = temporary.appending(file)
                guard link(lists.appending(file).string, made.string) == 0 else { throw Errno(rawValue: errno) }
                try WholeFile.sync(made)
            }
            try WholeFile.sync(temporary)
            guard rename(temporary.string, target.string) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
                throw Errno(rawValue: errno)
            }
            try WholeFile.sync(releases)
        } catch {
            ScratchFolder.removeFlat(temporary.string)
            throw FileFailure.error(error, "keep the package lists in", target)
        }
    }
}

/// Fields of an InRelease file (Debian's repository format, https://wiki.debian.org/DebianRepository/Format).
package enum InRelease {
    /// The Date field, `Sat, 15 Nov 2025 09:40:35 UTC`, in seconds since 1970; nil if there is none of this form.
    package static func date(_ text: String) -> UInt64? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Date: ") }) else { return nil }
        let parts = line.dropFirst(6).split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count >= 5, let day = Int64(parts[1]), let year = Int64(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (1...31).contains(day), (0...23).contains(clock[0]), (0...59).contains(clock[1]),
            (0...60).contains(clock[2])
        else { return nil }
        let days = self.days(year: year, month: Int64(month) + 1, day: day)
        let seconds = days * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        return seconds >= 0 ? UInt64(seconds) : nil
    }

    /// The field SHA256: lines ` DIGEST SIZE PATH`; digests by path.
    static func digests(_ text: String) -> [String: String] {
        var found: [String: String] = [:]
        var isInside = false
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" ") {
                isInside = line.hasPrefix("SHA256:")
            } else if isInside {
                let words = line.split(separator: " ")
                if words.count == 3 { found[String(words[2])] = String(words[0]) }
            }
        }
        return found
    }

    /// Days since 1970-01-01 of a Gregorian date.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// The mirror of each archive in a file of its own, for apt's mirror method: so the names of package lists
/// are the same whatever the mirror is.
enum MirrorLists {
    static func write(_ mirrors: [String: String], to folder: FilePath) throws {
        guard mkdir(folder.string, 0o755) == 0 || errno == EEXIST else {
            throw FactoryError(.cannotCreate, "cannot make \(folder): \(Errno(rawValue: errno))")
        }
        for (archive, uri) in mirrors {
            try WholeFile.write(uri + "\n", folder.appending(archive))
        }
    }
}
