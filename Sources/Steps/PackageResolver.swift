package import Model
package import SystemPackage
package import Tooling

/// Chooses the packages of a tree from fixed package lists: apt's own solver on an empty system.
package struct PackageResolver: Sendable {
    package struct Request: Hashable, Sendable, Codable {
        package var distribution: String
        package var suite: String
        package var architecture: Architecture
        package var components: [String]
        package var releases: [SuiteRelease]
        /// Sorted.
        package var packages: [String]

        package init(
            distribution: String, suite: String, architecture: Architecture, components: [String],
            releases: [SuiteRelease], packages: [String]
        ) {
            self.distribution = distribution
            self.suite = suite
            self.architecture = architecture
            self.components = components
            self.releases = releases
            self.packages = packages
        }
    }

    private let runner: any CommandRunning
    private let releases: FilePath

    /// `releases` is the store's folder of release snapshots.
    package init(runner: any CommandRunning, releases: FilePath) {
        self.runner = runner
        self.releases = releases
    }

    /// The request's packages, the essential and the required ones, apt, and all that they depend on, as the newest of
    /// the lists. `scratch` is a folder for the command's files, empty and removed by the caller.
    package func resolve(_ request: Request, scratch: FilePath) async throws -> PackageLock {
        let lists = releases.appending(ReleaseSnapshot.name(of: request.releases, request.components))
        // The lists' names come from these lines, and apt has checked their signatures when it fetched them.
        let sources = request.releases.map { release in
            "deb [arch=\(request.architecture.rawValue) trusted=yes] mirror+file:/mnt/apt/\(release.archive) "
                + "\(release.suite) \(request.components.joined(separator: " "))\n"
        }
        try WholeFile.write(sources.joined(), scratch.appending("sources.list"))
        try WholeFile.write("", scratch.appending("status"))
        try WholeFile.write(
            AptConfiguration.text(
                request.architecture, state: "/mnt/tmp", lists: "/mnt/lists", status: "/mnt/status",
                further: """
                    APT::Install-Recommends "false";
                    Acquire::ForceHash "SHA256";
                    Debug::NoLocking "true";

                    """), scratch.appending("apt.conf"))
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(512),
            binds: [
                .init(source: lists, target: "/mnt/lists"),
                .init(source: scratch.appending("sources.list"), target: "/mnt/sources.list"),
                .init(source: scratch.appending("status"), target: "/mnt/status"),
                .init(source: scratch.appending("apt.conf"), target: "/mnt/apt.conf"),
            ])
        let command = Command(
            "apt-get",
            ["--yes", "--print-uris", "install", "?essential", "?priority(required)", "apt"] + request.packages,
            environment: ["APT_CONFIG": "/mnt/apt.conf"], containment: containment)
        let failure = AptFailure()
        let result = try await runner.run(command) { _, line in failure.see(line) }
        guard result.succeeded else {
            let found = failure.explanation(offline: false)
            throw FactoryError(
                .failed, "apt finds no set of packages: " + (found?.message ?? result.reason ?? "no message"),
                remedy: found?.remedy ?? "check the packages of the definition: some exclude each other")
        }
        guard !result.standardOutputIsTruncated else {
            throw FactoryError(.failed, "apt chose more packages than a lock can have")
        }
        let packages = try result.text.split(separator: "\n").filter { $0.hasPrefix("'") }.map { line in
            guard let package = Self.package(line) else {
                throw FactoryError(.failed, "apt names a package in a way that is not understood: \(line)")
            }
            return package
        }
        return PackageLock(
            distribution: request.distribution, suite: request.suite, architecture: request.architecture,
            components: request.components, requested: request.packages, releases: request.releases,
            packages: packages.sorted { ($0.name, $0.architecture) < ($1.name, $1.architecture) })
    }

    /// From `'mirror+file:/mnt/apt/ARCHIVE/FILE' NAME_VERSION_ARCHITECTURE.deb SIZE SHA256:DIGEST`.
    static func package(_ line: Substring) -> LockedPackage? {
        let fields = line.split(separator: " ")
        let prefix = "'mirror+file:/mnt/apt/"
        guard fields.count == 4, fields[0].hasPrefix(prefix), fields[0].hasSuffix("'"), let size = UInt64(fields[2]),
            fields[3].hasPrefix("SHA256:"), let digest = Digest(String(fields[3].dropFirst(7))),
            let place = unquote(fields[0].dropFirst(prefix.count).dropLast()), let slash = place.firstIndex(of: "/"),
            fields[1].hasSuffix(".deb")
        else { return nil }
        let parts = fields[1].dropLast(4).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, let version = unquote(parts[1]) else { return nil }
        return LockedPackage(
            name: String(parts[0]), version: version, architecture: String(parts[2]), digest: digest, size: size,
            archive: String(place[..<slash]), file: String(place[place.index(after: slash)...]))
    }

    private static func unquote(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
