import Model
import SystemPackage
import TestSupport
import Testing

@testable import Steps

@Suite struct PackageMetadataTests {
    @Test(arguments: [
        ("Date: Thu, 01 Jan 1970 00:00:00 UTC", 0), ("Date: Sat, 15 Nov 2025 09:40:35 UTC", 1_763_199_635),
        ("Date: Thu, 29 Feb 2024 23:59:59 UTC", 1_709_251_199), ("Date: Fri, 1 Mar 2024 00:00:00 UTC", 1_709_251_200),
    ])
    func `The date of a release is read`(line: String, seconds: UInt64) {
        #expect(
            InRelease.date("Origin: Debian\nSuite: stable\n\(line)\nValid-Until: Sat, 22 Nov 2025 09:40:35 UTC\n")
                == seconds)
    }

    @Test(arguments: [
        "", "Valid-Until: Sat, 15 Nov 2025 09:40:35 UTC", "Date: yesterday", "Date: Sat, 15 Foo 2025 09:40:35 UTC",
        "Date: Sat, 15 Nov 2025 09:40 UTC", "Date: Sat, 15 Nov 99999999999 09:40:35 UTC",
        "Date: Sat, 9223372036854775807 Nov 2025 09:40:35 UTC",
        "Date: Sat, 15 Nov 2025 9223372036854775807:40:35 UTC", "Date: Sat, 32 Nov 2025 00:00:00 UTC",
    ])
    func `What is no date is none`(text: String) {
        #expect(InRelease.date(text) == nil)
    }

    private static let lines = """
        Debian\tDebian-Security\thttp://security.example.org/debian-security/
        Docker\tDocker CE\thttps://download.docker.com/linux/debian/
        Debian\tDebian\thttp://mirror.example.org/debian/
        Debian\tDebian\thttp://other.example.org/debian
        """

    @Test(arguments: [
        ("Debian", "/debian", "http://mirror.example.org/debian"),
        ("Debian-Security", "/debian-security", "http://security.example.org/debian-security"),
    ])
    func `The host's mirror is known by what its release says`(label: String, suffix: String, uri: String) {
        #expect(HostMirrors.choose(Self.lines, origin: "Debian", label: label, pathSuffix: suffix) == uri)
    }

    @Test(arguments: ["\t\thttp://m.example.org/debian/", "$(ORIGIN)\t$(LABEL)\thttp://m.example.org/debian"])
    func `Without a release the host's mirror is known by its path`(line: String) {
        #expect(
            HostMirrors.choose(line, origin: "Debian", label: "Debian", pathSuffix: "/debian")
                == "http://m.example.org/debian")
    }

    @Test(arguments: [
        "", "garbage", "Debian\tDebian", "Docker\tDocker CE\thttps://download.docker.com/linux/debian",
        "Debian\tDebian\tcdrom:[x]/debian", "Debian\tDebian\tfile:/srv/debian",
    ])
    func `What is not the archive is not chosen`(lines: String) {
        #expect(HostMirrors.choose(lines, origin: "Debian", label: "Debian", pathSuffix: "/debian") == nil)
    }

    @Test(arguments: [
        (
            "'mirror+file:/mnt/apt/main/pool/main/v/vim/vim_9.0.1378-2%2bdeb12u2_amd64.deb' "
                + "vim_2%3a9.0.1378-2+deb12u2_amd64.deb 1570000 SHA256:" + String(repeating: "ab", count: 32),
            "2:9.0.1378-2+deb12u2", "pool/main/v/vim/vim_9.0.1378-2+deb12u2_amd64.deb"
        ),
        (
            "'mirror+file:/mnt/apt/security/pool/a_1_all.deb' a_1_all.deb 5 SHA256:"
                + String(repeating: "0", count: 64),
            "1", "pool/a_1_all.deb"
        ),
    ])
    func `What apt would fetch is read`(line: String, version: String, file: String) throws {
        let package = try #require(PackageResolver.package(line[...]))
        #expect(package.version == version)
        #expect(package.file == file)
        #expect(["main", "security"].contains(package.archive))
    }

    @Test(arguments: [
        "", "'mirror+file:/mnt/apt/main/pool/a_1_all.deb' a_1_all.deb 5 MD5Sum:00",
        "'http://example.org/pool/a_1_all.deb' a_1_all.deb 5 SHA256:" + String(repeating: "0", count: 64),
        "'mirror+file:/mnt/apt/main/a%zz' a_1_all.deb 5 SHA256:" + String(repeating: "0", count: 64),
        "'mirror+file:/mnt/apt/main/a' a.deb 5 SHA256:" + String(repeating: "0", count: 64),
    ])
    func `What is none of apt's lines is not read`(line: String) {
        #expect(PackageResolver.package(line[...]) == nil)
    }

    @Test func `A cached package with other bytes is told, and so is one that is not there`() async throws {
        try await Scratch.with { scratch in
            let packages = ["good", "evil", "absent"].map { name in
                LockedPackage(
                    name: name, version: "1", architecture: "all", digest: Digest(of: Array(name.utf8)), size: 4,
                    archive: "main", file: "pool/\(name)_1_all.deb")
            }
            let cache = PackageCache(folder: scratch.path)
            try Scratch.write("good", cache.path(of: packages[0]))
            try Scratch.write("live", cache.path(of: packages[1]))
            let state = try await cache.check(packages)
            #expect(state.altered == [packages[1]])
            #expect(state.missing == [packages[2]])
            await #expect(throws: FactoryError.self) {
                try await cache.keep(cache.path(of: packages[1]), as: packages[1])
            }
        }
    }
}
