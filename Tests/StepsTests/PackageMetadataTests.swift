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
        ("vim_2%3a9.0.1378-2_amd64.deb", "vim_9.0.1378-2_amd64.deb"), ("less_590-2_amd64.deb", "less_590-2_amd64.deb"),
        ("libstdc++6_12.2.0-14_amd64.deb", "libstdc++6_12.2.0-14_amd64.deb"), ("odd.deb", "odd.deb"),
    ])
    func `A cached package has the name that it has in the archive`(file: String, name: String) {
        #expect(PackageCache.archiveName(file) == name)
    }

    @Test func `The digests of a package list are found`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("x_Packages")
            let text = """
                Package: vim
                Filename: pool/main/v/vim/vim_9.0_amd64.deb
                Description: SHA256: not this
                SHA256: aaaa

                Package: none
                Filename: pool/main/n/none/none_1_amd64.deb

                Package: less
                SHA256: bbbb
                Filename: pool/main/l/less/less_590_amd64.deb
                """
            try Scratch.write(text, path)
            var digests = ["kept": "cccc"]
            try PackageList.collectDigests(path, into: &digests)
            #expect(digests == ["kept": "cccc", "vim_9.0_amd64.deb": "aaaa", "less_590_amd64.deb": "bbbb"])
        }
    }

    @Test func `A cached package is used only if it is the one of the lists`() async throws {
        try await Scratch.with { scratch in
            let good = Digest(of: Array("good".utf8)).hex
            try Scratch.write(
                "Filename: pool/a_1_amd64.deb\nSHA256: \(good)\n\nFilename: pool/b_1_amd64.deb\nSHA256: \(good)\n",
                scratch.path.appending("x_Packages"))
            try Scratch.write("good", scratch.path.appending("a_1%3a1_amd64.deb"))
            try Scratch.write("good", scratch.path.appending("a_1_amd64.deb"))
            try Scratch.write("evil", scratch.path.appending("b_1_amd64.deb"))
            try Scratch.write("good", scratch.path.appending("unknown_1_amd64.deb"))
            let usable = try await PackageCache(folder: scratch.path).usable(lists: scratch.path)
            #expect(usable == ["a_1%3a1_amd64.deb", "a_1_amd64.deb"])
            #expect(!Scratch.names(scratch.path).contains("b_1_amd64.deb"))
            #expect(Scratch.names(scratch.path).contains("unknown_1_amd64.deb"))
        }
    }
}
