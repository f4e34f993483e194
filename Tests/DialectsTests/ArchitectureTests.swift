import Dialects
import Model
import SystemPackage
import TestSupport
import Testing

/// A file that is wrong in one way, and what is said of it.
struct WrongArchitecture: CustomTestStringConvertible, Sendable {
    var text: String
    var generation = ArchitectureGeneration.current
    var problems: String
    /// In gen-vm-image's words.
    var known: String
    var kind: InvalidArchitecture.Kind

    var testDescription: String { known }

    init(_ more: String, _ problems: String, _ kind: InvalidArchitecture.Kind, _ known: String) {
        text = ArchitectureFile.image(more)
        (self.problems, self.kind, self.known) = (problems, kind, known)
    }

    init(
        whole text: String, _ problems: String, _ kind: InvalidArchitecture.Kind, _ known: String,
        for generation: ArchitectureGeneration = .current
    ) {
        self.text = text
        self.generation = generation
        (self.problems, self.kind, self.known) = (problems, kind, known)
    }
}

@Suite struct ArchitectureTests {
    @Test(arguments: files + keys + inputs + checksums + seeds)
    func `A mistake is told where it is, and in the older program's words`(wrong: WrongArchitecture) {
        let failure = ArchitectureFile.failure(wrong.text, for: wrong.generation)
        #expect(failure?.kind == wrong.kind)
        #expect(failure?.message == wrong.known)
        #expect(ArchitectureFile.problems(wrong.text, for: wrong.generation) == wrong.problems)
    }

    @Test(arguments: [
        ("9.10", "9.10"), ("00", "00"), ("\"12\"", "12"), ("9.3", "9.3"), ("2024-01-02", "2024-01-02"),
        ("1_000", "1_000"), ("0x10", "0x10"), ("1:30", "1:30"), ("9.4-rc1", "9.4-rc1"),
    ])
    func `A version is taken as it is written`(written: String, version: String) throws {
        let text = ArchitectureFile.image("    size: 1G\n    version: \(written)\n")
        let image = try #require(try ArchitectureFile.parse(Array(text.utf8)).architecture.images.first)
        #expect(image.version?.text == version)
        #expect(image.fileName == "b-\(version).qcow2")
        #expect(image.definition.version == version)
    }

    @Test func `All that the current form has is lowered`() throws {
        let images = try ArchitectureFile.parse(ArchitectureFile.golden("many.architecture")).architecture.images
        #expect(
            images.map(\.fileName) == [
                "empty-9.4.qcow2", "empty-9.4.raw", "disk.vhd", "listed-00.qcow2", "prefix.qcow2",
            ])
        #expect(images[0].base == ImageBase(input: nil, size: .mebi(10)))
        let sha3 = try #require(
            Checksum.Value(.sha3With256, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"))
        #expect(
            images[2].base
                == ImageBase(
                    input: .init(Source(.file, "/d/images/disk.img"), checksum: .value(sha3), format: .vmdk),
                    format: .vhd, size: .gibi(2)))
        let folder = "https://cloud.debian.org/images/cloud/bookworm/latest/"
        let list = Checksum.List(
            Source(.https, folder + "SHA512SUMS"), algorithm: .sha512,
            signature: .init(
                keyring: FilePath("/d/keys/debian.gpg"), detached: Source(.https, folder + "SHA512SUMS.sign")))
        #expect(
            images[3].base
                == ImageBase(
                    input: .init(Source(.https, folder + "debian-12-generic-amd64.qcow2"), checksum: .listed(list)),
                    size: .mebi(1536), mayShrink: true))
        let prefix = Checksum.Value(.sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", first: ByteCount(1000))
        #expect(images[4].base.input?.checksum == prefix.map { .value($0) })
    }

    @Test func `Unknown keys, numbers and weak checksums are warnings at their places`() throws {
        let warnings = try ArchitectureFile.parse(ArchitectureFile.golden("many.architecture")).warnings
        #expect(
            warnings.map { "\($0.line):\($0.column): \($0.message)" } == [
                "3:1: the key 'defaults' has no meaning here and is left out",
                "24:14: YAML reads 00 as 0; it is taken as it is written: write it in quotes",
                "37:5: the key 'output' has no meaning here and is left out",
                "38:53: SHA-1 does not protect against a forged image; use sha256 or sha512",
                "38:120: the checksum is of the first 1000 bytes only: the rest may be anything",
            ])
        #expect(
            try ArchitectureFile.warnings(ArchitectureFile.image("    size: 1073741824\n    sizes: 1\n")) == [
                "5:11: a size without a unit is a number of bytes",
                "6:5: the key 'sizes' has no meaning here and is left out; did you mean 'size'?",
            ])
    }

    @Test func `The older form is read for both programs`() throws {
        let bytes = try ArchitectureFile.golden("two-images.architecture")
        let seed = try ArchitectureFile.parse(bytes, for: .seed).architecture
        let current = try ArchitectureFile.parse(bytes, for: .current).architecture
        #expect(seed == current)
        #expect(seed.owner == "me")
        #expect(seed.images.map(\.key) == ["b-img", "a-img"])
        #expect(seed.images.first?.base.input?.source == Source(.http, "http://h/in.qcow2"))
    }

    @Test(arguments: Mutation.allCases, ["two-images.architecture", "many.architecture"])
    func `A spoilt file is read, or refused at a place in it`(mutation: Mutation, name: String) throws {
        let original = try ArchitectureFile.golden(name)
        let generation: ArchitectureGeneration = name.hasPrefix("two") ? .seed : .current
        for round in 0..<20 {
            let label = "\(mutation) \(name) \(round)"
            var random = SeededGenerator(
                seed: Digest(of: Array(label.utf8)).bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) })
            let bytes = mutation.applied(to: original, &random)
            let start = ContinuousClock.now
            do {
                let images = try ArchitectureFile.parse(bytes, for: generation).architecture.images
                #expect(images.allSatisfy { !$0.fileName.contains("/") && !$0.fileName.hasPrefix(".") }, "\(label)")
            } catch {
                #expect(!error.message.contains("\n"), "\(label)")
                #expect(error.message.utf8.count < 5000, "\(label)")
                #expect(error.input.diagnostics.contains { $0.severity == .error }, "\(label)")
                let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
                #expect(error.input.diagnostics.allSatisfy { (1...lines.count).contains($0.line) }, "\(label)")
            }
            #expect(ContinuousClock.now - start < .seconds(2), "\(label)")
        }
    }

    static let files = [
        WrongArchitecture(whole: "", "1:1: the file is empty", .unreadable, "Failed to load path: a.yml"),
        WrongArchitecture(
            whole: "- 1\n", "1:1: the file must be a map with owner and images", .unreadable,
            "Failed to load path: a.yml"),
        WrongArchitecture(
            whole: "images: {a: {name: b}}\n", "1:1: the key 'owner' is missing or empty", .missingRoot,
            "Missing attribute: owner in {'images': {'a': {'name': 'b'}}}"),
        WrongArchitecture(
            whole: "owner: me\nimages: {}\n", "1:1: the key 'images' is missing or empty", .missingRoot,
            "Missing attribute: images in {'owner': 'me', 'images': {}}"),
        WrongArchitecture(
            whole: "owner: me\nimages: [1]\n", "2:9: 'images' must be a map of images by name, found a list",
            .missingRoot, "Invalid attribute type: <class 'list'> for value: [1] - must be <class 'dict'>"),
        WrongArchitecture(
            whole: "owner: me\nimages: {a: 1}\n", "2:13: 'a' must be a map, found '1'", .wrongType,
            "Invalid attribute type: <class 'int'> for value: 1 - must be dictionary"),
    ]

    static let keys = [
        WrongArchitecture("", "3:3: the image 'a' has no 'size'", .missing, "Missing attribute: size in a"),
        WrongArchitecture(
            "    size: [1]\n", "5:11: 'size' must be a text, found a list", .wrongType,
            "Invalid attribute type: <class 'list'> for value: [1] - must be string"),
        WrongArchitecture(
            "    size: 5Q\n", "5:11: 'size' must be \(ImageSize.rule), found '5Q'", .wrongType,
            "Invalid attribute type: <class 'str'> for value: 5Q - must be a size such as 10G"),
        WrongArchitecture(
            "    size: 1G\n    version: yes\n",
            "6:14: 'version' must be a text (write it in quotes), found 'yes'", .wrongType,
            "Invalid attribute type: <class 'bool'> for value: True - must be string"),
        WrongArchitecture(
            "    size: 1G\n    version: ../../x\n",
            "6:14: 'version' must be \(ImageFileName.rule), found '../../x'", .wrongType,
            "Invalid attribute type: <class 'str'> for value: ../../x - must be string"),
        WrongArchitecture(
            "    size: 1G\n    format: qcow3\n",
            "6:13: 'format' must be one of raw, qcow2, vmdk, vhd, vhdx, vdi, found 'qcow3'", .wrongType,
            "Invalid attribute type: <class 'str'> for value: qcow3 - must be one of raw, qcow2, vmdk, vhd, vhdx, vdi"),
        WrongArchitecture(
            "    size: 1G\n    allow_shrink: 1\n", "6:19: 'allow_shrink' must be true or false, found '1'", .wrongType,
            "Invalid attribute type: <class 'int'> for value: 1 - must be bool"),
    ]

    static let inputs = [
        WrongArchitecture(
            "    size: 1G\n    input: disk.qcow2\n", "6:12: 'input' must be a map with path or url, found 'disk.qcow2'",
            .wrongType, "Invalid attribute type: <class 'str'> for value: disk.qcow2 - must be dictionary"),
        WrongArchitecture(
            "    size: 1G\n    input: {}\n", "6:12: 'input' needs 'path' or 'url'", .missing,
            "Missing attribute: 'url' or 'path' in {}"),
        WrongArchitecture(
            "    size: 1G\n    input:\n", "6:11: 'input' must be a map with path or url, found nothing",
            .wrongType, "Invalid attribute type: <class 'NoneType'> for value: None - must be dictionary"),
        WrongArchitecture(
            "    size: 1G\n    input: {format: qcow2}\n", "6:12: 'input' needs 'path' or 'url'", .missing,
            "Missing attribute: 'url' or 'path' in {'format': 'qcow2'}"),
        WrongArchitecture(
            "    size: 1G\n    input: {path: x, url: http://h/x}\n", "6:12: 'path' and 'url' exclude each other",
            .wrongType,
            "Both 'url' and 'path' are defined in the architecture input section. Only one can be defined"),
        WrongArchitecture(
            "    size: 1G\n    input: {path: [x]}\n", "6:19: 'path' must be a text, found a list", .wrongType,
            "Invalid attribute type: <class 'list'> for value: ['x'] - must be string"),
        WrongArchitecture(
            "    size: 1G\n    input: {url: 'ftp://h/x'}\n",
            "6:18: 'url' must be a path or a URL (http, https), found 'ftp://h/x'", .wrongType,
            "Invalid attribute type: <class 'str'> for value: ftp://h/x - must be string"),
    ]

    private static let sum = String(repeating: "0a", count: 32)

    /// The checksum as it is written, the column of the mistake in it, and what is said.
    private static let checksumMistakes: [(String, Int, String, InvalidArchitecture.Kind, String)] = [
        (
            "sha256", 0, "'checksum' must be a map with type and value, found 'sha256'",
            .checksumMap,
            "Invalid attribute type: <class 'str'> for value: sha256 - must be dictionary"
        ),
        (
            "{type: sha256}", 0, "the checksum has no 'value'", .checksumEntry,
            "Missing attribute: value in {'type': 'sha256'}"
        ),
        (
            "{type: crc32, value: 0a}", 7,
            "'crc32' is no checksum; known are md5, sha1, sha256, sha384, sha512, "
                + "sha3_224, sha3_256, sha3_384, sha3_512, blake2b, blake2s", .checksumType,
            "Failed to calculate the checksum of the downloaded image"
        ),
        (
            "{type: sha256, value: 0a}", 22, "'0a' is no SHA-256: that has 64 hexadecimal digits", .checksumValue,
            "The checksum of the downloaded image cannot be the expected checksum: 0a"
        ),
        (
            "{type: sha256, value: {}}", 22, "'value' must be a text, found a map", .checksumEntryType,
            "Invalid attribute type: <class 'dict'> for value: {} - must be string"
        ),
        (
            "{read_bytes: x, type: sha256, value: \(sum)}", 13, "'read_bytes' must be a number of bytes, found 'x'",
            .checksumEntryType, "Invalid attribute type: <class 'str'> for value: x - must be int"
        ),
        (
            "{type: sha256, value: a/b, read_bytes: 10}", 39, "'read_bytes' is for one checksum, and 'value' is a list",
            .checksumEntry, "Invalid attribute: read_bytes in {'type': 'sha256', 'value': 'a/b', 'read_bytes': 10}"
        ),
        (
            "{keyring: /nope, type: sha256, value: \(sum)}", 10,
            "'keyring' is for a list of checksums, and 'value' is none: the path of a list has a '/'", .checksumEntry,
            "Invalid attribute: keyring in {'keyring': '/nope', 'type': 'sha256', 'value': '\(sum)'}"
        ),
        (
            "{signature: a/b.sig, type: sha256, value: \(sum)}", 12,
            "'signature' is for a list of checksums, and 'value' is none: the path of a list has a '/'", .checksumEntry,
            "Invalid attribute: signature in {'signature': 'a/b.sig', 'type': 'sha256', 'value': '\(sum)'}"
        ),
        (
            "{file: b, type: sha256, value: \(sum)}", 7,
            "'file' is for a list of checksums, and 'value' is none: the path of a list has a '/'", .checksumEntry,
            "Invalid attribute: file in {'file': 'b', 'type': 'sha256', 'value': '\(sum)'}"
        ),
        (
            "{signature: 'ftp://h/x', keyring: k, type: sha256, value: a/b}", 12,
            "'signature' must be a path or a URL (http, https), found 'ftp://h/x'", .checksumEntryType,
            "Invalid attribute type: <class 'str'> for value: ftp://h/x - must be string"
        ),
        (
            "{type: sha256, value: a/b, buffer_size: -1}", 40, "'buffer_size' must be a number of bytes, found '-1'",
            .checksumEntryType, "Invalid attribute type: <class 'int'> for value: -1 - must be int"
        ),
        (
            "{type: sha256, value: a/b, signature: a/b.sig}", 38, "'signature' needs 'keyring', a file of public keys",
            .checksumEntry,
            "Missing attribute: keyring in {'type': 'sha256', 'value': 'a/b', 'signature': 'a/b.sig'}"
        ),
    ]

    static let checksums = checksumMistakes.map { checksum, column, problem, kind, known in
        let head = "    input: {path: x, checksum: "
        return WrongArchitecture(
            "    size: 1G\n\(head)\(checksum)}\n", "6:\(head.count + column + 1): \(problem)", kind, known)
    }

    static let seeds = [
        WrongArchitecture(
            whole: "owner: me\nimages:\n  a: {name: b}\n",
            ["version", "get_url", "checksum", "size"].sorted().map { "3:3: the image 'a' has no '\($0)'" }
                .joined(separator: "\n"), .missing, "Missing required attribute 'version': in {'name': 'b'}", for: .seed
        ),
        WrongArchitecture(
            whole: ArchitectureFile.seed("checksum", "0a"),
            "7:15: 'checksum' must be a map with type and value, found '0a'", .checksumMap,
            "Invalid attribute type: <class 'str'> for value: 0a - must be dictionary", for: .seed),
        WrongArchitecture(
            whole: ArchitectureFile.seed("checksum", "{value: 0a}"), "7:15: the checksum has no 'type'",
            .checksumEntry, "Missing attribute: type in {'value': '0a'}", for: .seed),
    ]
}
