import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct DownloadCheckTests {
    private let runner = CommandRunner(helper: builtExecutable())

    /// A small package in a cache of packages, with its control fields beside it; its digest.
    private func package(_ name: String, in scratch: FilePath) async throws -> String {
        let (tree, cache) = (scratch.appending("tree"), scratch.appending("packages"))
        for folder in [tree, tree.appending("DEBIAN"), cache] { mkdir(folder.string, 0o755) }
        try Scratch.write(
            "Package: \(name)\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a test\n",
            tree.appending("DEBIAN/control"))
        let file = scratch.appending("new.deb")
        try await runner.runChecked(
            Command("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree.string, file.string]),
            activity: "building")
        let digest = Digest(of: try RepositoryFiles.bytes(file)).hex
        try #require(rename(file.string, cache.appending(digest + ".deb").string) == 0)
        let fields = try await runner.runChecked(
            Command("dpkg-deb", ["--field", cache.appending(digest + ".deb").string]), activity: "reading")
        try Scratch.write(fields.text + "\n", cache.appending(digest + ".control"))
        return digest
    }

    private func damagedFields(_ scratch: FilePath) async throws -> [FilePath] {
        let cache = scratch.appending("packages")
        let damaged = try await DownloadCheck.damagedPackages(in: cache)
        return try await DownloadCheck.damagedFields(in: cache, except: damaged, runner: runner)
    }

    @Test func `A folder among the packages is none of them`() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path.appending("debian-trixie")
            try #require(mkdir(folder.string, 0o755) == 0)
            #expect(try await DownloadCheck.damagedPackages(in: scratch.path) == [folder])
        }
    }

    @Test func `Fields that are not those of their package are named`() async throws {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            let digests = [try await package("a", in: scratch.path), try await package("b", in: scratch.path)]
            #expect(try await damagedFields(scratch.path) == [])
            let fields = scratch.path.appending("packages/\(digests[0]).control")
            let text = try Scratch.read(fields)
            for other in [text.replacing("1.0", with: "1.1"), "", text + "\n"] {
                try Scratch.write(other, fields)
                #expect(try await damagedFields(scratch.path) == [fields])
            }
        }
    }

    @Test func `A damaged package is not opened, and fields without a package are of no use to anybody`() async throws {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            let digest = try await package("a", in: scratch.path)
            let file = scratch.path.appending("packages/\(digest).deb")
            try Scratch.write("no package", file)
            #expect(try await DownloadCheck.damagedPackages(in: scratch.path.appending("packages")) == [file])
            #expect(try await damagedFields(scratch.path) == [])
            unlink(file.string)
            #expect(try await damagedFields(scratch.path) == [])
        }
    }

    @Test func `Fields of a package that was not there are not those of the one that comes`() async throws {
        try await Scratch.with { scratch in
            chmod(scratch.path.string, 0o755)
            let digest = try await package("a", in: scratch.path)
            let cache = PackageCache(folder: scratch.path.appending("packages"))
            let file = scratch.path.appending("a.deb")
            try #require(rename(cache.folder.appending(digest + ".deb").string, file.string) == 0)
            let locked = LockedPackage(
                name: "a", version: "1.0", architecture: "all", digest: try #require(Digest(digest)), size: 1,
                archive: "main", file: "a.deb")
            try await cache.keep(file, as: locked)
            #expect(Scratch.names(cache.folder) == [digest + ".deb"])
        }
    }
}
