import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Tooling

/// A section of image-factory.conf from its installer to its destination, by the program itself and the tests' own
/// installer (scripts/tiny-installer).
@Suite struct InstalledImageTests {
    private static let installer = RepositoryFiles.root.appending(".build/tiny-installer")

    private static func configuration(in folder: FilePath) -> String {
        """
        [tiny]
        linux = \(installer)/kernel
        initrd = \(installer)/initrd
        preseed = \(folder)/tiny.cfg
        append = quiet mitigations=off
        ram = 256M
        image-size = 64M
        format = qcow2
        keep-raw = yes
        installer-logs = yes
        log-file = yes
        log-filename = \(folder)/tiny.log
        upload_destinations = here
        post-build-command = sh -c 'exit 7'
        [here]
        upload_type = rsync
        upload_target = \(folder)/there/
        post-upload-command = touch \(folder)/there/${image}.arrived
        """
    }

    @Test
    func `An image is installed, published, uploaded and announced, and a failed announcement has its own status`()
        async throws
    {
        try #require(access(Self.installer.appending("kernel").string, R_OK) == 0, "run scripts/setup")
        try await Scratch.with { scratch in
            let folder = scratch.path
            try Scratch.write(Self.configuration(in: folder), folder.appending("own.conf"))
            try Scratch.write(
                "# finish: image-factory: installation finished\nd-i debian-installer/locale string C\n",
                folder.appending("tiny.cfg"))
            mkdir(folder.appending("there").string, 0o755)
            let result = try await CommandRunner().run(
                Command(
                    builtExecutable().string, ["tiny", "-o", folder.appending("out").string],
                    environment: [
                        "XDG_CACHE_HOME": folder.appending("cache").string,
                        "IMAGE_FACTORY_CONFIG": folder.appending("own.conf").string, "TZ": "UTC",
                    ], timeout: .seconds(300)))
            #expect(result.ending == .exited(7), "\(result.lastLines)")
            let names = Scratch.names(folder.appending("out"))
            let image = try #require(names.first { $0.hasSuffix(".qcow2") })
            let stem = String(image.dropLast(".qcow2".count))
            #expect(stem.wholeMatch(of: /tiny-[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil)
            #expect(
                names
                    == [
                        "manifest.json", "provenance.json", "qcow2", "qcow2.sha256sum", "raw", "raw.sha256sum",
                    ].map { "\(stem).\($0)" })
            #expect(Scratch.names(folder.appending("there")) == [image, image + ".arrived", image + ".sha256sum"])
            let log = try Scratch.read(folder.appending("tiny.log"))
            for said in [
                "INFO: Content of /var/log/installer/syslog:", "INFO: Successfully created ",
                "INFO: Successfully uploaded ", "ERROR: 'sh -c \"exit 7\" ",
            ] { #expect(log.contains(said), "\(said)") }
        }
    }
}
