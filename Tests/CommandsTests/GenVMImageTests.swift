import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands

/// Runs of the built program in a folder of their own.
private struct Place: Sendable {
    let folder: FilePath

    static func with(_ body: (Place) async throws -> Void) async throws {
        try await Scratch.with { try await body(Place(folder: $0.path)) }
    }

    /// In the folder, as `gen-vm-image`.
    func run(_ arguments: [String]) async throws -> CommandResult {
        // The working folder of a command is that of its containment alone; env sets it for any.
        try await CommandRunner().run(
            Command(
                "env",
                ["-C", folder.string, builtExecutable().string, "as", "gen-vm-image"] + arguments,
                environment: ["XDG_CACHE_HOME": folder.appending("cache").string], timeout: .seconds(120)))
    }

    func write(_ text: String, _ name: String) throws { try Scratch.write(text, folder.appending(name)) }

    func tool(_ arguments: [String]) async throws -> CommandResult {
        try await CommandRunner().run(Command(arguments[0], Array(arguments.dropFirst())))
    }

    func names(_ name: String) -> [String] { Scratch.names(folder.appending(name)) }
}

@Suite struct GenVMImageTests {
    private func expect(
        _ result: CommandResult, _ code: Int32, _ response: String, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(result.ending == .exited(code), "\(result.lastLines)", sourceLocation: location)
        let head = """
            {
                "response": \(PythonJSON.quoted(response)),
                "return_code": \(code),
                "status": "\(code == 0 ? "success" : "failed")",
            """
        let said = code == 0 ? result.text : result.lastLines.joined(separator: "\n")
        #expect(said.hasPrefix(head), "\(said)", sourceLocation: location)
    }

    @Test func `Usage errors are those of argparse, with 2`() async throws {
        try await Place.with { place in
            for (line, message) in [
                (["single"], "gen-vm-image single: error: the following arguments are required: name, size"),
                (
                    ["foo"],
                    "gen-vm-image: error: argument {single,multiple}: invalid choice: 'foo' "
                        + "(choose from 'single', 'multiple')"
                ),
                (["single", "a", "1G", "--overwrite"], "gen-vm-image: error: unrecognized arguments: --overwrite"),
                (["multiple", "a", "-iod", "x"], "gen-vm-image: error: unrecognized arguments: -iod x"),
                (["-x"], "gen-vm-image: error: unrecognized arguments: -x"),
                (
                    ["--ge"],
                    "gen-vm-image: error: ambiguous option: --ge could match --generated-image-owner, "
                        + "--generate-gocd-config"
                ),
            ] {
                let result = try await place.run(line)
                #expect(result.ending == .exited(2))
                #expect(result.lastLines.last == message)
                #expect(result.lastLines.first?.hasPrefix("usage: gen-vm-image") ?? false)
            }
            let version = try await place.run(["-V"])
            #expect((version.ending, version.text) == (.exited(0), "0.0.8"))
            #expect(try await place.run(["single", "-h"]).text.contains("--input-checksum-type"))
            #expect(try await place.run(["-h"]).text.contains("--architecture-path"))
            #expect(Scratch.names(place.folder) == [])
        }
    }

    @Test func `Images are made of nothing, of a path, and in each format`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "empty", "5G"]), 0, "")
            #expect(place.names("generated-images") == ["empty.qcow2"])
            let info = try await place.tool([
                "qemu-img", "info", "--output=json", place.folder.appending("generated-images/empty.qcow2").string,
            ])
            #expect(info.text.contains(#""virtual-size": 5368709120"#))
            #expect(info.text.contains(#""compat": "1.1""#))
            for format in ["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi"] {
                expect(
                    try await place.run([
                        "single", "disk", "64M", "-i", "generated-images/empty.qcow2", "-if", "qcow2", "-of", format,
                        "-od", "out",
                        "-V",
                        "1.0", "--allow-shrink",
                    ]), 0, "")
            }
            #expect(
                place.names("out") == [
                    "disk-1.0.qcow2", "disk-1.0.raw", "disk-1.0.vdi", "disk-1.0.vhd", "disk-1.0.vhdx", "disk-1.0.vmdk",
                ])
        }
    }

    @Test func `What goes wrong has the code and the message of the older program, and leaves nothing`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "empty", "64M", "-od", "in"]), 0, "")
            let input = "in/empty.qcow2"
            let zero = String(repeating: "0", count: 64)
            let digest = try #require(
                try await place.tool(["sha256sum", place.folder.appending(input).string]).text.split(separator: " ")
                    .first)
            try place.write("owner: me\n", "a.yml")
            try place.write("owner: [me\n", "b.yml")
            let cases: [([String], Int32, String)] = [
                (
                    ["single", "a", "1G", "-i", "none"], 1,
                    "Path not found: none - error: the input image is not there"
                ),
                (["multiple", "b.yml"], 2, "Failed to load path: b.yml"),
                (["multiple", "a.yml"], 4, "Missing attribute: images in {'owner': 'me'}"),
                (
                    ["single", "a", "1G", "-i", input, "-ic", zero], 4,
                    "Missing attribute: input_checksum_type in \(zero)"
                ),
                (
                    ["single", "a", "5Q"], 5,
                    "Invalid attribute type: <class 'str'> for value: 5Q - must be a size such as 10G"
                ),
                (
                    ["single", "a", "1G", "-i", input, "-icrb", "-5"], 5,
                    "Invalid attribute type: <class 'int'> for value: -5 - must be a number of bytes"
                ),
                (["multiple", "in"], 2, "Failed to load path: in"),
                (
                    ["multiple", "none.yml"], 1,
                    "Path not found: none.yml - error: cannot read the architecture file: No such file or directory"
                ),
                (
                    ["single", "a", "1G", "-icbs", "q"], 5,
                    "Invalid attribute type: <class 'str'> for value: q - must be int"
                ),
                (
                    ["single", "a", "1G", "-i", input, "-ict", "sha256", "-ic", zero], 6,
                    "The checksum of the downloaded image: \(digest) does not match the expected checksum: \(zero)"
                ),
                (
                    ["single", "a", "1G", "-i", input, "-ict", "crc32", "-ic", "00"], 6,
                    "Failed to calculate the checksum of the downloaded image"
                ),
                (["single", "a", "32M", "-i", input], 7, "Failed to resize path: generated-images/a.qcow2"),
            ]
            for (line, code, response) in cases { expect(try await place.run(line), code, response) }
            let wrong = try await place.run(["single", "a", "1G", "-i", input, "-if", "raw"])
            #expect(wrong.ending == .exited(3))
            #expect(
                wrong.lastLines.contains {
                    $0.contains(
                        "Failed to create path: \(input) - error: the input image is not safe to open: it is said to be raw"
                    )
                }, "\(wrong.lastLines)")
            let folder = try await place.run(["single", "a", "1G", "-od", "a.yml/x"])
            #expect(folder.ending == .exited(3))
            let download = try await place.run(["single", "a", "1G", "-i", "http://127.0.0.1:9/x"])
            #expect(download.ending == .exited(10))
            #expect(place.names("generated-images") == [])
            #expect(!place.names("cache").contains("sources.partial"))
        }
    }

    @Test func `What is suspicious is told on standard error, and a failure is an object alone`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "empty", "1M", "-od", "in"]), 0, "")
            let path = place.folder.appending("in/empty.qcow2").string
            let start = try await place.tool(["sh", "-c", "head -c 9 \"$1\" | md5sum", "sh", path]).text
                .split(separator: " ")[0]
            let zero = String(repeating: "0", count: 32)
            try place.write(
                "owner: me\nimages:\n  a: {name: a, version: 9.10, size: 1M, sizes: 2M}\n", "a.yml")
            let cases: [([String], [String])] = [
                (
                    ["single", "a", "2M", "-i", "in/empty.qcow2", "-ict", "md5", "-ic", "\(start)", "-icrb", "9"],
                    [
                        "warning: the checksum is of the first 9 bytes only: the rest may be anything",
                        "warning: the checksum of \(path) is an MD5, which anybody can forge; give a SHA-256",
                    ]
                ),
                (
                    ["single", "b", "2M", "-if", "raw", "-ict", "sha256", "-ic", zero + zero],
                    [
                        "warning: without --input the disk is empty, and --input-format, --input-checksum-type, "
                            + "--input-checksum not used"
                    ]
                ),
                (
                    ["single", "c", "2M", "-i", "in/empty.qcow2", "-icrb", "9"],
                    ["warning: --input-checksum-read-bytes is for a checksum that is given as a value, and not used"]
                ),
                (
                    ["multiple", "a.yml"],
                    [
                        "a.yml:3:25: warning: YAML reads 9.10 as 9.1; it is taken as it is written",
                        "a.yml:3:41: warning: the key 'sizes' has no meaning here and is left out",
                    ]
                ),
            ]
            for (line, warnings) in cases {
                for verbose in [[], ["-v"]] {
                    let result = try await place.run(line + ["-od", "out" + (verbose.first ?? "")] + verbose)
                    #expect(result.ending == .exited(0), "\(result.lastLines)")
                    let said = result.lastLines.filter { $0.contains("warning: ") && !$0.hasPrefix("    ") }
                    #expect(said.count == warnings.count, "\(said)")
                    for (line, start) in zip(said, warnings) { #expect(line.hasPrefix(start), "\(line)") }
                    #expect(result.text.contains("warning: ") == !verbose.isEmpty)
                }
            }
            let bad = try await place.run(["single", "d", "2M", "-i", "in/empty.qcow2", "-ict", "md5", "-ic", zero])
            #expect(bad.ending == .exited(6) && bad.lastLines.first == "{" && bad.lastLines.last == "}")
            #expect(bad.lastLines.contains { $0.contains("        \"warning: the checksum of ") }, "\(bad.lastLines)")
        }
    }

    @Test func `Right checksums are taken, of the whole and of its beginning, with buffer sizes`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "empty", "1M", "-od", "in"]), 0, "")
            let path = place.folder.appending("in/empty.qcow2").string
            let whole = try await place.tool(["sha512sum", path]).text.split(separator: " ")[0]
            let start = try await place.tool(["sh", "-c", "head -c 1000 \"$1\" | sha512sum", "sh", path]).text
                .split(separator: " ")[0]
            let common = ["-i", "in/empty.qcow2", "-ict", "sha512", "-icbs", "300"]
            expect(try await place.run(["single", "a", "2M", "-ic", "\(whole)", "-icrb", "0"] + common), 0, "")
            expect(try await place.run(["single", "b", "2M", "-ic", "\(start)", "-icrb", "1000"] + common), 0, "")
            let verbose = try await place.run(["single", "c", "2M", "-v", "-ic", "\(whole)"] + common)
            expect(verbose, 0, "")
            #expect(verbose.text.contains("The calculated checksum: \(whole) matches the defined checksum: \(whole)"))
        }
    }

    @Test func `Architecture files make all their images, again only with overwrite`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "source", "10M", "-od", "in"]), 0, "")
            try place.write(
                """
                owner: me
                images:
                  one: {name: test, version: 9.4, size: 11M}
                  two: {name: test, version: 9.4, size: 1M, format: raw}
                  three: {name: converted, version: 12, size: 12M, format: raw, input: {path: in/source.qcow2, format: qcow2}}
                  four: {name: plain, size: 1M, output: x}

                """, "a.yml")
            let done = "Successfully built the images in: \(place.folder.appending("out"))"
            expect(try await place.run(["multiple", "a.yml", "-od", "out", "--image", "two"]), 0, done)
            #expect(place.names("out") == ["test-9.4.raw"])
            let none = try await place.run(["multiple", "a.yml", "-od", "out", "--image=zwei"])
            expect(none, 4, "Missing attribute: zwei in images")
            #expect(none.lastLines.contains { $0.contains("hint: the file has one, two, three, four") })
            expect(try await place.run(["multiple", "a.yml", "-od", "out"]), 0, done)
            #expect(
                place.names("out") == ["converted-12.raw", "plain.qcow2", "test-9.4.qcow2", "test-9.4.raw"])
            try place.write("mine", "out/plain.qcow2")
            expect(try await place.run(["multiple", "a.yml", "-od", "out"]), 0, done)
            #expect(try Scratch.read(place.folder.appending("out/plain.qcow2")) == "mine")
            expect(try await place.run(["multiple", "a.yml", "-od", "out", "--overwrite", "-v"]), 0, done)
            #expect(
                try RepositoryFiles.bytes(place.folder.appending("out/plain.qcow2")).starts(with: Array("QFI".utf8)))
        }
    }

    @Test func `The first program makes images of its file, and pipelines`() async throws {
        try await Place.with { place in
            expect(try await place.run(["single", "source", "10M", "-od", "in"]), 0, "")
            let path = place.folder.appending("in/source.qcow2").string
            let digest = try await place.tool(["sha256sum", path]).text.split(separator: " ")[0]
            func image(_ key: String, _ checksum: String) -> String {
                "  \(key): {name: n, version: 9.10, get_url: \(path), size: 20M, checksum: \(checksum)}\n"
            }
            let good = "{type: sha256, value: \(digest)}"
            try place.write("owner: me\nimages:\n" + image("a", good), "architecture.yml")
            let result = try await place.run(["--generated-image-owner", "no-such-user", "--generate-gocd-config"])
            #expect(result.ending == .exited(0))
            #expect(
                result.text == """
                    The calculated checksum: \(digest) matches the defined checksum: \(digest)
                    Failed to discover user uid: no-such-user - there is no such user
                    Created VM disk image at: \(place.folder)/generated-images/image.qcow2
                    Generated a new GOCD config in: \(place.folder)/1.gocd.yml
                    """)
            #expect(try Scratch.read(place.folder.appending("1.gocd.yml")).contains("    lock_behavior: none\n"))
            try place.write("owner: me\nimages:\n" + image("a", good) + image("b", good), "two.yml")
            for (output, files) in [
                ("d/image.qcow2", ["image-a.qcow2", "image-b.qcow2"]), ("e/{image}.img", ["a.img", "b.img"]),
            ] {
                let two = try await place.run(["--architecture-path=two.yml", "--image-output-path", output])
                #expect(two.ending == .exited(0), "\(two.lastLines)")
                #expect(place.names(String(output.prefix(1))) == files)
            }
            let cases: [(String, Int32, String)] = [
                ("owner: me\n", 255, "Missing attribute: images in {'owner': 'me'}"),
                ("owner: me\nimages:\n  a: {name: b}\n", 254, "Missing required attribute 'version': in {'name': 'b'}"),
                (
                    "owner: me\nimages:\n" + image("a", "x"), 253,
                    "Invalid attribute type: <class 'str'> for value: x - must be dictionary"
                ),
                (
                    "owner: me\nimages:\n" + image("a", "{type: md5}"), 252,
                    "Missing attribute: value in {'type': 'md5'}"
                ),
                (
                    "owner: me\nimages:\n" + image("a", "{type: crc, value: \(digest)}"), 251,
                    "Failed to calculate the checksum of the downloaded image"
                ),
                (
                    "owner: me\nimages:\n"
                        + image("a", "{type: sha256, value: '\(String(repeating: "0", count: 64))'}"),
                    250,
                    "The checksum of the downloaded image does not match the expected checksum: \(digest) != "
                        + String(repeating: "0", count: 64)
                ),
            ]
            for (text, code, message) in cases {
                try place.write(text, "bad.yml")
                let bad = try await place.run(["--architecture-path", "bad.yml", "--image-output-path", "f/x"])
                #expect((bad.ending, bad.text) == (.exited(code), message))
            }
            #expect(try await place.run(["--architecture-path", "none.yml"]).ending == .exited(255))
            #expect(place.names("f") == [])
        }
    }

    @Test(arguments: ["gzip", "xz", "zstd", "bzip2"])
    func `Compressed inputs are unpacked, and no further than the disk may be large`(program: String) async throws {
        try await Place.with { place in
            let endings = ["gzip": "gz", "xz": "xz", "zstd": "zst", "bzip2": "bz2"]
            let packed = "disk.raw." + (endings[program] ?? "")
            let path = place.folder.appending("disk.raw").string
            #expect(try await place.tool(["truncate", "-s", "128M", path]).succeeded)
            #expect(try await place.tool([program, "-q", path]).succeeded)
            expect(try await place.run(["single", "good", "128M", "-i", packed]), 0, "")
            let bomb = try await place.run(["single", "bomb", "16M", "-i", packed])
            #expect(bomb.ending == .exited(3))
            #expect(bomb.lastLines.contains { $0.contains("holds more than") }, "\(bomb.lastLines)")
            #expect(place.names("generated-images") == ["good.qcow2"])
            #expect(place.names("cache/image-factory/work") == [])
        }
    }

    @Test func `A disk that grows has its partition table at its ends`() async throws {
        try await Place.with { place in
            let path = place.folder.appending("disk.raw").string
            #expect(try await place.tool(["truncate", "-s", "64M", path]).succeeded)
            try place.write("label: gpt\nstart=2048, size=4096\n", "script")
            let made = try await place.tool([
                "sh", "-c", "sfdisk -q \"$1\" < \"$2\"", "sh", path, place.folder.appending("script").string,
            ])
            #expect(made.succeeded)
            expect(try await place.run(["single", "grown", "1G", "-i", "disk.raw", "-of", "raw", "-od", "out"]), 0, "")
            let grown = place.folder.appending("out/grown.raw").string
            let checked = try await place.tool(["sfdisk", "--verify", grown])
            #expect(checked.text.contains("No errors detected"), "\(checked.lastLines)")
            #expect(try await place.tool(["sfdisk", "--dump", grown]).text.contains("last-lba: 2097118"))
        }
    }

    @Test func `An input that reads another file is refused with the reason`() async throws {
        try await Place.with { place in
            let path = place.folder.appending("hostile.qcow2").string
            let made = try await place.tool([
                "qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", path, "1M",
            ])
            #expect(made.succeeded)
            let result = try await place.run(["single", "a", "1G", "-i", "hostile.qcow2"])
            #expect(result.ending == .exited(3))
            #expect(
                result.lastLines.contains {
                    $0.contains("the input image is not safe to open: ") && $0.contains("backing file")
                })
            #expect(!result.lastLines.contains { $0.contains("/sources/") })
            #expect(place.names("generated-images") == [])
        }
    }

    @Test func `A link of the program's name is the program`() async throws {
        try await Place.with { place in
            let links = place.folder.appending("bin").string
            let made = try await place.tool(["mkdir", links])
            #expect(made.succeeded)
            for _ in 0..<2 {
                #expect(try await place.tool([builtExecutable().string, "install-links", links]).succeeded)
            }
            let result = try await place.tool([links + "/gen-vm-image", "--version"])
            #expect((result.ending, result.text) == (.exited(0), "0.0.8"))
            #expect(place.names("bin") == ForeignCommands.all.map { $0.name }.sorted())
            let other = try await place.tool([links + "/configure-vm-image", "--version"])
            #expect((other.ending, other.text) == (.exited(0), "0.1.3"))
        }
    }
}
