/// One package as it came into an image: enough to get the same bytes again, and to know that they are the same.
package struct LockedPackage: Hashable, Sendable, Codable {
    package var name: String
    package var version: String
    /// `amd64` or `all`.
    package var architecture: String
    /// SHA-256 of the .deb file, from the signed package lists.
    package var digest: Digest
    /// Of the .deb file, in bytes.
    package var size: UInt64
    /// Which of the distribution's archives has it: `main` or `security`.
    package var archive: String
    /// Below the archive's root, such as `pool/main/b/bash/bash_5.2.37-2_amd64.deb`.
    package var file: String

    package init(
        name: String, version: String, architecture: String, digest: Digest, size: UInt64, archive: String,
        file: String
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.digest = digest
        self.size = size
        self.archive = archive
        self.file = file
    }
}

/// The packages of a tree, chosen once: every build from the same lock installs the same bytes.
package struct PackageLock: Hashable, Sendable, Codable {
    /// Raised when an older program would misread a newer lock.
    package static let format = 1

    /// The latest time that an image may have: what 32 bits hold, the year 2106.
    package static let latest = UInt64(UInt32.max)

    package var format = Self.format
    package var distribution: String
    package var suite: String
    package var architecture: Architecture
    package var components: [String]
    /// The packages that were asked for, sorted: the others are there because these need them.
    package var requested: [String]
    /// The suites as they stood when the packages were chosen.
    package var releases: [SuiteRelease]
    /// Sorted by name.
    package var packages: [LockedPackage]

    package init(
        distribution: String, suite: String, architecture: Architecture, components: [String], requested: [String],
        releases: [SuiteRelease], packages: [LockedPackage]
    ) {
        self.distribution = distribution
        self.suite = suite
        self.architecture = architecture
        self.components = components
        self.requested = requested
        self.releases = releases
        self.packages = packages
    }

    /// The newest date of its releases, in seconds since 1970: the time of everything that a build from it makes.
    package var date: UInt64 { releases.map(\.date).max() ?? 0 }

    /// JSON with a package on each line, so that a version control system shows what changed.
    package func text() throws -> String {
        func line(_ value: some Encodable) throws -> String {
            String(decoding: try Canonical.bytes(value), as: UTF8.self)
        }
        let rows = try packages.map { "    " + (try line($0)) }.joined(separator: ",\n")
        let suites = try releases.map { "    " + (try line($0)) }.joined(separator: ",\n")
        return """
            {
              "format": \(format),
              "distribution": \(try line(distribution)),
              "suite": \(try line(suite)),
              "architecture": \(try line(architecture)),
              "components": \(try line(components)),
              "requested": \(try line(requested)),
              "releases": [
            \(suites)
              ],
              "packages": [
            \(rows)
              ]
            }

            """
    }
}

extension PackageLock {
    /// Reads what `text` writes. A lock may come from anywhere: what its fields become part of (addresses, file
    /// names, command lines) they may be part of. Throws `FactoryError` with the reason; `name` is the file's, for it.
    package static func read(_ bytes: [UInt8], name: String) throws -> PackageLock {
        func refusal(_ reason: String) -> FactoryError {
            FactoryError(.definition, "\(name): \(reason)", remedy: "make it anew: --update-lock")
        }
        let lock: PackageLock
        do {
            lock = try Canonical.decode(PackageLock.self, from: bytes)
        } catch let error as DecodingError {
            throw refusal(error.place(in: bytes))
        } catch {
            throw refusal("this is no lock")
        }
        guard lock.format == format else { throw refusal("its format is \(lock.format), not \(format)") }
        guard lock.releases.allSatisfy({ isWord($0.suite) && isWord($0.archive) }), isWord(lock.suite),
            isWord(lock.distribution), lock.components.allSatisfy(isWord), lock.requested.allSatisfy(isName)
        else { throw refusal("it names something that cannot be") }
        guard !lock.packages.isEmpty, !lock.releases.isEmpty else { throw refusal("it has no packages or no releases") }
        guard lock.date <= latest else { throw refusal("its date cannot be") }
        var seen: Set<String> = []
        for package in lock.packages {
            guard isName(package.name), isVersion(package.version), isWord(package.architecture),
                isWord(package.archive), isPath(package.file), package.size < 1 << 40
            else { throw refusal("the package '\(package.name.prefix(80))' is malformed") }
            guard seen.insert(package.name).inserted else {
                throw refusal("the package '\(package.name)' is there twice")
            }
        }
        return lock
    }

    /// Debian Policy 5.6.1.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count >= 2 && text.utf8.count < 200 && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { isLower($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    /// Debian Policy 5.6.12.
    private static func isVersion(_ text: String) -> Bool {
        text.utf8.first.map(isDigit) ?? false && text.utf8.count < 200
            && text.utf8.allSatisfy { isLower($0 | 0x20) || isDigit($0) || ".+-:~".utf8.contains($0) }
    }

    private static func isWord(_ text: String) -> Bool {
        text.utf8.first.map { isLower($0) || isDigit($0) } ?? false && text.utf8.count < 100
            && text.utf8.allSatisfy { isLower($0) || isDigit($0) || "-./".utf8.contains($0) }
    }

    private static func isPath(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count < 500 && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && text.utf8.allSatisfy { isLower($0 | 0x20) || isDigit($0) || "/._+~-:".utf8.contains($0) }
    }

    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension DecodingError {
    /// Which package or key is at fault.
    fileprivate func place(in bytes: [UInt8]) -> String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(let key, let found):
            return "the key '\(key.stringValue)' is missing" + Self.of(found.codingPath)
        @unknown default: return "this is no lock"
        }
        return context.codingPath.isEmpty
            ? "this is no lock: it is not JSON" : "a value is wrong" + Self.of(context.codingPath)
    }

    private static func of(_ path: [any CodingKey]) -> String {
        guard let first = path.first else { return "" }
        let index = path.dropFirst().first?.intValue.map { " \($0 + 1)" } ?? ""
        return " in '\(first.stringValue)'\(index)" + (path.count > 2 ? ": \(path[2].stringValue)" : "")
    }
}

/// What changed from one lock to another.
package struct LockChanges: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        case added(String)
        case removed(String)
        case upgraded(String, String)
        case downgraded(String, String)
        /// The same version with other bytes.
        case rebuilt(String)
    }

    /// By package name, sorted.
    package var changes: [(package: String, change: Change)] {
        zip(names, kinds).map { ($0, $1) }
    }

    private var names: [String] = []
    private var kinds: [Change] = []

    package init(from old: PackageLock?, to new: PackageLock) {
        let before = Dictionary((old?.packages ?? []).map { ($0.name, $0) }) { first, _ in first }
        let after = Dictionary(new.packages.map { ($0.name, $0) }) { first, _ in first }
        for name in Set(before.keys).union(after.keys).sorted() {
            let change: Change
            switch (before[name], after[name]) {
            case (let left?, let right?) where left.version != right.version:
                change =
                    DebianVersion(left.version) < DebianVersion(right.version)
                    ? .upgraded(left.version, right.version) : .downgraded(left.version, right.version)
            case (let left?, let right?) where left.digest != right.digest: change = .rebuilt(right.version)
            case (let left?, nil): change = .removed(left.version)
            case (nil, let right?): change = .added(right.version)
            default: continue
            }
            names.append(name)
            kinds.append(change)
        }
    }
}
