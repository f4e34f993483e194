import Dialects
import Model
import SystemPackage
import TestSupport
import Testing

@Suite struct NativeNetinstallTests {
    /// A sound definition of six lines of an installation; further keys of `netinstall` follow as line 7.
    private static func web(_ more: String = "", _ end: String = "") -> String {
        "name: web\nversion: \"1\"\nos: {distribution: fedora, release: 44}\ndisk: {size: 4G}\nbase:\n  netinstall:\n"
            + more + end
    }

    private static let sound = "    kernel: https://x/linux\n    initrd: initrd.gz\n    preseed: motd\n"

    private func install(_ text: String) throws -> Netinstall {
        guard case .netinstall(let install) = try Native.parse(text).base else {
            throw FactoryError(.internal, "this is no installation")
        }
        return install
    }

    @Test func `A definition that uses every key of an installation is lowered whole`() throws {
        let source = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/every-key-netinstall.yaml")
        let (definition, _) = try Native.parse(try RepositoryFiles.bytes(source))
        let text = try Canonical.text(definition)
        #expect(text == (try Golden.expected("every-key-netinstall.json", for: text)))
    }

    @Test func `Any distribution may be installed, and paths are relative to the definition`() throws {
        let install = try install(Self.web(Self.sound))
        #expect(
            install.medium
                == .kernel(Source(.https, "https://x/linux"), initrd: Source(.file, "/d/initrd.gz")))
        #expect(install.answers.map(\.path) == ["/d/motd"] && install.answers[0].kind == .preseed)
        #expect(install.memory == .gibi(2) && install.processors == 1 && install.network == .proxy)
    }

    @Test func `A SHA-256 pins the source, other checksums stand beside it`() throws {
        let (short, long) = (String(repeating: "0", count: 64), String(repeating: "1", count: 128))
        let install = try install(
            Self.web(
                "    kernel: {url: https://x/linux, checksum: \"\(short)\"}\n"
                    + "    initrd: {url: https://x/initrd, checksum: \"sha512:\(long)\"}\n    kickstart: motd\n"))
        guard case .kernel(let kernel, let initrd) = install.medium else {
            Issue.record("there is no kernel")
            return
        }
        #expect(kernel.digest?.hex == short && initrd.digest == nil)
        #expect(install.checksums.keys.sorted() == ["https://x/initrd"])
        #expect(install.checksums["https://x/initrd"] == Checksum.Value(.sha512, long).map { .value($0) })
    }

    @Test func `A command after an upload may name the image`() throws {
        let definition = try Native.parse(
            Self.web(
                Self.sound, "outputs: [raw]\npublish: [{rsync: \"h:/srv\", commands: [[ssh, h, \"ls ${image}\"]]}]\n"))
        #expect(
            definition.uploads
                == [UploadDestination(name: "rsync", target: "h:/srv", commands: [["ssh", "h", "ls web-1.raw"]])])
    }

    @Test(arguments: [
        ("    preseed: motd\n", "7:5: an installation needs 'kernel' and 'initrd', or 'image'"),
        ("    image: x.iso\n", "7:5: an installation needs one of 'preseed', 'kickstart', 'autoyast', 'autoinstall'"),
        (
            "    image: x.iso\n    kernel: x\n    preseed: motd\n",
            "8:13: 'image' takes the place of 'kernel' and 'initrd'"
        ),
        (
            "    image: ftp://x\n    preseed: motd\n",
            "7:12: this is neither a path nor a file, http, https or rsync URI"
        ),
        (
            "    image: x.iso\n    preseed: none\n",
            "8:14: cannot read the answer file '/d/none': No such file or directory"
        ),
        (sound + "    cpus: 0\n", "10:11: '0' is no number of processors; give 1 to 512"),
        (sound + "    limit: 200h\n", "10:12: the limit of an installation is between 1s and 168h"),
        (sound + "    limit: 0s\n", "10:12: the limit of an installation is between 1s and 168h"),
        (sound + "    memory: 1M\n", "10:13: a machine that installs has between 64M and 1024T of memory"),
        (
            sound + "    mac: 01:00:00:00:00:00\n",
            "10:10: no machine can have the MAC address '01:00:00:00:00:00'; the first byte must be even, and not all "
                + "may be 0"
        ),
        (
            sound + "packages: [vim]\n",
            "10:11: 'packages' is for images made of packages; tell the installer by its answer file"
        ),
        (sound + "outputs: [tar]\n", "10:11: an installation makes a disk: raw or qcow2"),
        (
            "    image: {url: x.iso, checksums: {file: S, signature: S.gpg}}\n    preseed: motd\n",
            "7:57: a signature needs the 'keyring' whose keys may have made it"
        ),
    ])
    func `A mistake is told where it is`(more: String, said: String) {
        #expect(Native.problems(Self.web(more)) == said)
    }

    @Test func `The size of the disk cannot be found out`() {
        let text = Self.web(Self.sound).replacing("4G", with: "automatic")
        #expect(Native.problems(text) == "4:14: an installation needs the size of its disk: 'disk: {size: 4G}'")
    }

    @Test func `Only a bootstrap needs a distribution that is known`() {
        let text = "name: web\nversion: \"1\"\nos: {distribution: fedora, release: 44}\n"
        #expect(Native.problems(text).contains("unknown distribution 'fedora'"))
    }
}
