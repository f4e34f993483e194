import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands

/// Runs of the built program in a folder of their own.
private struct Place: Sendable {
    let folder: FilePath

    static func with(_ body: (Place) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            let place = Place(folder: scratch.path)
            try place.write("#cloud-config\n{}\n", "my-user-data.yaml")
            try place.write("instance-id: mine\n", "meta")
            try place.write("#!/bin/sh\n", "vendor")
            try place.write("version: 2\n", "network")
            try await body(place)
        }
    }

    func write(_ text: String, _ name: String) throws { try Scratch.write(text, folder.appending(name)) }

    func run(_ arguments: [String], input: String = "/dev/null") async throws -> CommandResult {
        try await tool(["sh", "-c", "exec \"$@\" < \"$0\"", input, builtExecutable().string] + arguments)
    }

    /// In the folder.
    func tool(_ arguments: [String]) async throws -> CommandResult {
        try await CommandRunner().run(
            Command(
                "env", ["-C", folder.string] + arguments,
                environment: ["XDG_CACHE_HOME": folder.appending("cache").string], timeout: .seconds(60)))
    }

    /// The files of an ISO image by their names.
    func files(of image: String) async throws -> [String: String] {
        _ = try await tool(["rm", "-rf", "found"])
        let result = try await tool(["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", "found"])
        #expect(result.succeeded, "\(result.lastLines)")
        let found = folder.appending("found")
        return try Dictionary(
            uniqueKeysWithValues: Scratch.names(found).map { ($0, try Scratch.read(found.appending($0))) })
    }

    func metaData(of image: String) async throws -> String { try await files(of: image)["meta-data"] ?? "" }

    func label(of image: String) async throws -> String {
        try await tool(["/sbin/blkid", "-o", "value", "-s", "LABEL", image]).text
    }
}

@Suite struct SeedCommandTests {
    @Test func `A seed has all files under the names that cloud-init knows`() async throws {
        try await Place.with { place in
            let result = try await place.run([
                "seed", "seed.iso", "my-user-data.yaml", "--meta-data", "meta", "--vendor-data", "vendor",
                "--network-config", "network",
            ])
            #expect(result.ending == .exited(0), "\(result.lastLines)")
            #expect(
                try await place.files(of: "seed.iso") == [
                    "user-data": "#cloud-config\n{}\n", "meta-data": "instance-id: mine\n",
                    "vendor-data": "#!/bin/sh\n", "network-config": "version: 2\n",
                ])
            #expect(try await place.label(of: "seed.iso") == "cidata")
        }
    }

    @Test func `Without meta-data each seed is of an instance of its own, with the name that it was given`()
        async throws
    {
        try await Place.with { place in
            var instances: Set<String> = []
            for _ in 0..<2 {
                let result = try await place.run(["seed", "s", "my-user-data.yaml", "--hostname", "web"])
                #expect(result.ending == .exited(0))
                let lines = try await place.metaData(of: "s").split(separator: "\n")
                #expect(lines.last == "local-hostname: \"web\"")
                instances.insert(String(lines[0]))
            }
            #expect(instances.count == 2)
            #expect(instances.allSatisfy { $0.hasPrefix("instance-id: \"imgf-") })
            _ = try await place.run(["seed", "s", "my-user-data.yaml", "--instance-id", "a \"b\""])
            #expect(try await place.metaData(of: "s") == "instance-id: \"a \\\"b\\\"\"\n")
        }
    }

    @Test func `A seed may be FAT, come from standard input and go to standard output`() async throws {
        try await Place.with { place in
            #expect(try await place.run(["seed", "s.img", "meta", "--format", "fat"]).ending == .exited(0))
            #expect(try await place.label(of: "s.img") == "CIDATA")
            #expect(try await place.tool(["mtype", "-i", "s.img", "::user-data"]).text == "instance-id: mine")
            let program = builtExecutable().string
            let piped = try await place.tool([
                "sh", "-c", "\"$1\" seed - - --instance-id i < my-user-data.yaml > piped.iso", "sh", program,
            ])
            #expect(piped.ending == .exited(0))
            #expect(try await place.files(of: "piped.iso")["user-data"] == "#cloud-config\n{}\n")
            _ = try await place.run(["seed", "named.iso", "my-user-data.yaml", "--instance-id", "i"])
            #expect(try await place.tool(["cmp", "piped.iso", "named.iso"]).succeeded)
        }
    }

    @Test func `What is suspicious is told with its place, and the seed is made`() async throws {
        try await Place.with { place in
            try place.write("users: []\n", "plain")
            let result = try await place.run(["seed", "s", "plain"])
            #expect(result.ending == .exited(0))
            #expect(
                result.lastLines.contains {
                    $0.hasPrefix("\(place.folder.appending("plain")):1:1: warning: the first line is 'users: []'")
                }, "\(result.lastLines)")
        }
    }

    @Test func `A seed of a file that not everybody may read is only for its owner`() async throws {
        try await Place.with { place in
            let made = try await place.tool(["chmod", "640", "vendor"])
            #expect(made.succeeded)
            for (line, seed, mode) in [
                (["seed", "open", "meta"], "open", "644"), (["seed", "open", "vendor"], "open", "600"),
                (["seed", "s", "meta", "--vendor-data", "vendor"], "s", "600"),
                (["as", "cloud-localds", "l", "meta", "-V", "vendor"], "l", "600"),
                (["as", "cloud-localds", "i", "meta", "-i", "vendor"], "i", "600"),
                (["as", "cloud-localds", "o", "meta", "meta"], "o", "644"),
            ] {
                let result = try await place.run(line)
                #expect(result.ending == .exited(0), "\(result.lastLines)")
                let found = try await place.tool(["stat", "-c", "%a", seed])
                #expect(found.text == mode, "\(line)")
            }
        }
    }

    @Test func `What cannot be is refused, and nothing is made`() async throws {
        try await Place.with { place in
            for (line, status, message) in [
                (["none"], Int32(66), "error: cannot read user-data from "),
                (["my-user-data.yaml", "--meta-data", "meta", "--hostname", "h"], 64, "Error: --meta-data excludes "),
                (["my-user-data.yaml", "--format", "ext4"], 64, "Error: The value 'ext4' is invalid"),
            ] {
                let result = try await place.run(["seed", "s"] + line)
                #expect(result.ending == .exited(status))
                #expect(result.lastLines.contains { $0.hasPrefix(message) }, "\(result.lastLines)")
                #expect(!Scratch.names(place.folder).contains("s"))
            }
        }
    }
}

@Suite struct CloudLocaldsTests {
    @Test func `Each option is in the seed`() async throws {
        try await Place.with { place in
            try place.write("auto lo\niface lo inet loopback\n", "interfaces")
            let result = try await place.run([
                "as", "cloud-localds", "-v", "-N", "network", "--vendor=vendor", "s.img", "-Hweb", "-m", "local", "-d",
                "raw", "-i", "interfaces", "my-user-data.yaml", "-o", "ignored",
            ])
            #expect(result.ending == .exited(0))
            #expect(result.lastLines.last == "wrote s.img with filesystem=iso9660 and diskformat=raw")
            let files = try await place.files(of: "s.img")
            #expect(files.keys.sorted() == ["meta-data", "network-config", "user-data", "vendor-data"])
            #expect(
                files["meta-data"] == """
                    instance-id: "iid-local01"
                    local-hostname: "web"
                    interfaces: "auto lo\\niface lo inet loopback\\n"
                    dsmode: "local"

                    """)
            #expect(try await place.run(["as", "cloud-localds", "v", "vendor", "meta", "-fvfat"]).ending == .exited(0))
            #expect(try await place.label(of: "v") == "CIDATA")
            #expect(try await place.tool(["mtype", "-i", "v", "::meta-data"]).text == "instance-id: mine")
            let help = try await place.run(["as", "cloud-localds", "--help"])
            #expect(help.text.hasPrefix("Usage: cloud-localds [ options ] output user-data [meta-data]"))
        }
    }

    @Test func `What is wrong ends with 1 and the program's message`() async throws {
        try await Place.with { place in
            for (line, message) in [
                ([], "must provide output, userdata"), (["s"], "must provide output, userdata"),
                (["s", "meta", "meta", "meta"], "confused by additional args"),
                (
                    ["s", "vendor", "meta", "-H", "h"],
                    "metadata is incompatible with: --interfaces, --hostname, --dsmode"
                ),
                (["s", "vendor", "-f", "ext4"], "unknown filesystem ext4"),
                (["s", "vendor", "-i", "none"], "none: not a readable file"),
                (["s", "vendor", "-d", "tar"], "the disk format tar is not made"),
                (["s", "vendor", "-N", "none"], "failed to copy network config"),
                (["s", "vendor", "-V", "none"], "failed to copy vendor data"),
                (["s", "none"], "\(place.folder.appending("none")): failed to copy: No such file or directory"),
                (["s", "vendor", "--host"], "cloud-localds: option '--hostname' requires an argument"),
            ] {
                let result = try await place.run(["as", "cloud-localds"] + line)
                #expect(result.ending == .exited(1), "\(line)")
                #expect(result.lastLines.contains(message), "\(line): \(result.lastLines)")
                #expect(!Scratch.names(place.folder).contains("s"))
            }
        }
    }

    /// The real getopt is asked by one shell, which prints a line for each of ours.
    @Test func `Command lines are read as getopt of util-linux does`() async throws {
        let words = [
            "-h", "-v", "-vv", "-H", "-Hx", "-vHx", "-x", "-vx", "a", "b", "-", "--", "--help", "--h", "--ho",
            "--host=x",
            "--hostname", "--hostname=", "--ver", "--v", "--vendor-data=y", "--help=1", "--nothing", "--d",
            "--dsmode=z",
            "-o",
        ]
        var generator = SystemRandomNumberGenerator()
        let lines =
            words.map { [$0] }
            + (0..<400).map { _ in
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                    words[Int.random(in: words.indices, using: &generator)]
                }
            }
        let letters = CloudLocalds.letters.map { $0.name + ($0.takesValue ? ":" : "") }.joined()
        let long = CloudLocalds.words.map { $0.name + ($0.takesValue ? ":" : "") }.joined(separator: ",")
        let script = """
            while IFS= read -r line; do
                getopt --unquoted --name p --options "$1" --long "$2" -- $line 2>&1 | head -n 1
            done
            """
        try await Scratch.with { scratch in
            let input = scratch.path.appending("lines")
            try Scratch.write(lines.map { $0.joined(separator: " ") + "\n" }.joined(), input)
            let output = scratch.path.appending("answers")
            let result = try await CommandRunner().run(
                Command(
                    "sh",
                    ["-c", "exec sh -c \"$0\" sh \"$3\" \"$4\" < \"$1\" > \"$2\"", script, input.string, output.string]
                        + [letters, long]))
            #expect(result.succeeded)
            let answers = try Scratch.read(output).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            try #require(answers.count == lines.count)
            for (line, answer) in zip(lines, answers) { #expect(said(line) == String(answer), "\(line)") }
        }
    }

    private func said(_ line: [String]) -> String {
        do {
            let found = try GetoptReader.read(line, letters: CloudLocalds.letters, words: CloudLocalds.words)
            let options = found.options.flatMap { [$0.name] + [$0.value].compactMap { $0 } }
            return " " + (options + ["--"] + found.arguments).joined(separator: " ")
        } catch {
            return "p: " + error.message
        }
    }
}
