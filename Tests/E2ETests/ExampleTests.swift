import SystemPackage
import TestSupport
import Testing
import Tooling

extension EndToEndTests {
    struct ExampleTests {
        static let names = ["debian-12-minimal", "debian-12", "debian-13-minimal", "debian-13"]

        private let runner = ProgramUnderTest.runner

        @Test(arguments: names) func `An example builds and has booted with both firmwares`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                #expect(image.manifest.boots.map(\.firmware) == ["bios", "uefi"])
            }
        }

        @Test(arguments: names) func `The files agree with their checksums`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                #expect(!image.manifest.files.isEmpty)
                for file in image.manifest.files {
                    let arguments = ["-C", folder.path.string, "sha256sum", "--check", "--strict"]
                    let result = try await runner.run(Command("env", arguments + [file.file + ".sha256sum"]))
                    #expect(result.text == "\(file.file): OK")
                }
            }
        }

        @Test(arguments: names) func `The documents are valid and fit to the files`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                _ = try await ProgramUnderTest.build(name, into: folder)
                let inspection = try await runner.run(
                    Command(ProgramUnderTest.path.string, ["inspect", folder.path.string]))
                #expect(inspection.succeeded, "\(inspection.lastLines.joined(separator: "\n"))")
                let documents = ["sbom.spdx", "provenance"].map {
                    folder.path.appending("\(name)-1.0.\($0).json").string
                }
                let validation = try await runner.run(
                    Command(
                        RepositoryFiles.root.appending(".build/validators/bin/python").string,
                        [RepositoryFiles.root.appending("scripts/validate-records").string] + documents))
                #expect(validation.succeeded, "\(validation.lastLines.joined(separator: "\n"))")
            }
        }

        @Test(arguments: names) func `Other programs find no fault in the disk`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                let check = try await runner.run(Command("qemu-img", ["check", "-f", "qcow2", image.qcow2.string]))
                #expect(check.succeeded && check.text.hasPrefix("No errors were found on the image."), "\(check)")
                let raw = try await image.rawDisk()
                let table = try await runner.run(Command("sgdisk", ["--verify", raw.string]))
                #expect(table.succeeded && table.text.contains("No problems found."), "\(table)")
                let root = try await runner.run(Command("e2fsck", ["-f", "-n", image.rootFilesystem(of: raw)]))
                #expect(root.succeeded, "\(root)")
            }
        }

        @Test(arguments: names) func `An example breaks no rule, warnings included`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                let result = try await runner.run(
                    Command(
                        ProgramUnderTest.path.string, ["verify", "--strict", image.qcow2.string],
                        environment: ["XDG_CACHE_HOME": folder.path.string]))
                #expect(result.succeeded, "\(result.lastLines)")
            }
        }

        @Test(arguments: names) func `The manifest names the packages`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                let packages = Set(image.manifest.packages.map(\.name))
                let cloud: Set = name.hasSuffix("-minimal") ? [] : ["cloud-init", "openssh-server"]
                #expect(packages.isSuperset(of: cloud.union(["base-files", "linux-image-cloud-amd64", "systemd"])))
                #expect(image.manifest.packages.allSatisfy { !$0.version.isEmpty })
            }
        }

        @Test(arguments: names) func `No host keys and no machine id are in the image`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                let root = image.rootFilesystem(of: try await image.rawDisk())
                let keys = try await runner.run(Command("debugfs", ["-R", "ls -p /etc/ssh", root]))
                #expect(keys.succeeded && !keys.text.contains("ssh_host_"), "\(keys)")
                let id = try await runner.run(Command("debugfs", ["-R", "cat /etc/machine-id", root]))
                #expect(["", "uninitialized"].contains(id.text), "\(id)")
            }
        }
    }
}
