import Dialects
import Model
import SystemPackage
import TestSupport
import Testing

@Suite struct NativeImageTests {
    /// A definition of four lines and a base image; what follows starts in line 6.
    private static func web(_ image: String = "disk.qcow2", _ more: String = "") -> String {
        "name: web\nversion: \"1\"\nos: {distribution: fedora, release: 44}\nbase:\n  image: \(image)\n" + more
    }

    private func image(_ text: String) throws -> ImageBase {
        guard case .image(let base) = try Native.parse(text).base else {
            throw FactoryError(.internal, "this is no base image")
        }
        return base
    }

    @Test func `A definition that uses every key of a base image is lowered whole`() throws {
        let source = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/every-key-image.yaml")
        let (definition, _) = try Native.parse(try RepositoryFiles.bytes(source))
        let text = try Canonical.text(definition)
        #expect(text == (try Golden.expected("every-key-image.json", for: text)))
    }

    @Test func `A path alone is an image of any distribution, which keeps its size and is neither booted nor reset`()
        throws
    {
        #expect(
            try image(Self.web())
                == ImageBase(input: .init(Source(.file, "/d/disk.qcow2")), format: .raw, size: nil))
        #expect(try Native.parse(Self.web()).os == OperatingSystem(distribution: "fedora", release: "44"))
    }

    @Test(arguments: [
        ("\"sha512:\(long)\"", Checksum.Value(.sha512, long)), ("{type: sha512, value: \(long)}", .init(.sha512, long)),
        ("{type: md5, value: \(String(long.prefix(32)))}", .init(.md5, String(long.prefix(32)))),
    ])
    func `A checksum is told by its function's name`(written: String, read: Checksum.Value?) throws {
        let base = try image(Self.web("{path: disk.img, checksum: \(written)}"))
        #expect(base.input?.checksum == read.map { .value($0) } && base.input?.checksum != nil)
        #expect(base.input?.source == Source(.file, "/d/disk.img"))
    }

    private static let long = String(repeating: "1", count: 128)

    @Test func `A SHA-256 pins the source`() throws {
        let digits = String(repeating: "a", count: 64)
        let base = try image(Self.web("{url: \"https://x/i.raw\", checksum: \(digits), format: raw}"))
        #expect(base.input == .init(Source(.https, "https://x/i.raw", digest: Digest(digits)), format: .raw))
    }

    @Test(arguments: [
        ("defaults", ["defaults"]), ("[defaults, -ssh-userdir]", ["defaults", "-ssh-userdir"]),
        ("machine-id, logfiles", ["machine-id,logfiles"]), ("{operations: all}", ["all"]),
    ])
    func `Operations of the reset are a list or a line`(written: String, lists: [String]) throws {
        let base = try image(Self.web("x.raw", "reset: \(written)\n"))
        #expect(base.reset == ResetAction(try ResetSelection(parsing: lists), makesHostKeyUnit: false))
    }

    @Test func `The machine that sets an image up has the firmware that the disk is for`() throws {
        let base = try image(Self.web("x.raw", "disk: {firmware: uefi}\ncloud_init: {user_data: motd}\n"))
        #expect(base.setup?.firmware == .uefi && base.setup?.files.map(\.path) == ["/d/motd"])
        #expect(base.setup?.network == .proxy && base.setup?.degradation == .warn && base.setup?.memory == .gibi(2))
    }

    @Test(arguments: [
        ("{format: raw}", "", "5:10: a base image needs 'url' or 'path'"),
        ("{url: \"https://x/y\", path: z}", "", "5:37: a base image has either 'url' or 'path'"),
        ("ftp://x/y", "", "5:10: this is neither a path nor a file, http, https or rsync URI"),
        (
            "{path: z, checksum: {type: crc32, value: \(long)}}", "",
            "5:30: 'crc32:\(long.prefix(54))…' is no checksum that is known here; "
                + "give a SHA-256 or SHA-512, or another one as NAME:DIGITS"
        ),
        (
            "x.raw", "packages: [vim]\n",
            "6:11: 'packages' is for images made of packages; tell cloud-init by cloud_init: user_data"
        ),
        ("x.raw", "disk: {table: gpt}\n", "6:15: a base image has its partition table"),
        (
            "x.raw", "disk: {size: {automatic: 1G}}\n",
            "6:14: give the size of the whole disk, or leave it out for the size of the image"
        ),
        ("x.raw", "disk: {size: 100000001B}\n", "6:14: a disk has whole sectors of 512 bytes"),
        ("x.raw", "outputs: [tar]\n", "6:11: a base image gives a disk: raw, qcow2, vmdk, vhd, vhdx or vdi"),
        (
            "x.raw", "cloud_init: {network: none}\n",
            "6:13: cloud-init needs one of 'meta_data', 'network_config', 'user_data', 'vendor_data'"
        ),
        (
            "x.raw", "cloud_init: {user_data: none}\n",
            "6:25: cannot read the file for cloud-init '/d/none': No such file or directory"
        ),
        (
            "x.raw", "cloud_init: {user_data: motd, datasources: [NoCloud]}\n",
            "6:44: 'datasources' is for images made of packages; tell cloud-init by 'user_data'"
        ),
        (
            "x.raw", "cloud_init: {user_data: motd, memory: 1M}\n",
            "6:39: a machine has between 64M and 1024T of memory"
        ),
        (
            "x.raw", "cloud_init: {user_data: motd, cpus: 0}\n",
            "6:37: '0' is no number of processors; give 1 to 512"
        ),
    ])
    func `A mistake is told where it is`(image: String, more: String, said: String) {
        #expect(Native.problems(Self.web(image, more)) == said)
    }

    @Test func `An operation that there is not is told with those that there are`() {
        let said = Native.problems(Self.web("x.raw", "reset: [defaults, -ssh-users]\n"))
        #expect(
            said.hasPrefix("6:19: there is no reset operation 'ssh-users'; choose from: defaults, all, abrt-data, "))
    }

    @Test func `A reset of which no operation is left is a mistake`() {
        for written in ["-ssh-hostkeys", "[defaults, -all]"] {
            let said = Native.problems(Self.web("x.raw", "reset: \(written)\n"))
            #expect(said.hasPrefix("6:8: no reset operation is left; a '-' takes away"), "\(said)")
        }
    }

    @Test func `What only a base image has is a mistake elsewhere`() {
        #expect(
            Native.problems(Native.minimal("cloud_init: {user_data: motd}\nreset: all\n"))
                == "6:25: 'user_data' is for a base image, which cloud-init sets up: base: {image: …}\n"
                + "7:8: 'reset' is for a base image; nothing of an instance is in others: base: {image: …}")
    }

    @Test func `A base is of one kind`() {
        #expect(
            Native.problems(Native.minimal("base: {bootstrap: {components: [main]}, image: x.raw}\n"))
                .contains("a base is one of 'bootstrap', 'netinstall' and 'image'"))
    }
}
