import Glibc
import Model
import SystemPackage
import TestSupport
import Tooling

/// The `image-factory` that the tests run: the one that IMAGE_FACTORY_PROGRAM names, else that of the same build.
enum ProgramUnderTest {
    static let path = getenv("IMAGE_FACTORY_PROGRAM").map { FilePath(String(cString: $0)) } ?? builtExecutable()

    static let runner = CommandRunner(helper: path)

    /// The definition that lies in the sources under this name.
    static func example(_ name: String) -> FilePath {
        RepositoryFiles.root.appending("examples").appending(name + ".yaml")
    }

    /// Builds an example with the caller's store, so that what is there already is reused.
    static func build(_ name: String, into folder: TemporaryFolder) async throws -> BuiltImage {
        var environment = CommandRunner.callerProxies
        for variable in ["HOME", "XDG_CACHE_HOME"] {
            if let value = getenv(variable) { environment[variable] = String(cString: value) }
        }
        let command = Command(
            path.string, ["build", example(name).string, "--output", folder.path.string, "--plain"],
            environment: environment, timeout: .seconds(1800))
        try await runner.runChecked(command, activity: "building the example \(name)")
        return try BuiltImage(name: name, folder: folder)
    }
}

/// What `build` left in the output folder.
struct BuiltImage {
    struct Manifest: Decodable {
        struct Package: Decodable {
            var name: String
            var version: String
            var architecture: String
        }

        struct Boot: Decodable {
            var firmware: String
        }

        struct File: Decodable {
            var file: String
        }

        struct Disk: Decodable {
            struct Geometry: Decodable {
                struct Extent: Decodable {
                    var firstSector: UInt64
                }

                var root: Extent
            }

            var geometry: Geometry
        }

        var packages: [Package]
        var boots: [Boot]
        var files: [File]
        var disk: Disk
    }

    let folder: TemporaryFolder
    let manifest: Manifest
    let qcow2: FilePath

    init(name: String, folder: TemporaryFolder) throws {
        self.folder = folder
        qcow2 = folder.path.appending(name + "-1.0.qcow2")
        manifest = try Canonical.decode(Manifest.self, from: folder.read(name + "-1.0.manifest.json"))
    }

    /// The disk as a sparse raw file, which the checkers of partition tables and filesystems read.
    func rawDisk() async throws -> FilePath {
        let raw = folder.path.appending("disk.raw")
        try await ProgramUnderTest.runner.runChecked(
            Command("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", qcow2.string, raw.string]),
            activity: "converting \(qcow2)")
        return raw
    }

    /// The root filesystem in a raw disk, as the programs of e2fsprogs name it.
    func rootFilesystem(of raw: FilePath) -> String {
        "\(raw)?offset=\(manifest.disk.geometry.root.firstSector * 512)"
    }
}
