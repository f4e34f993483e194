import Model
import Testing

/// Files that are refused before their keys are looked at.
@Suite struct NativeLoadTests {
    @Test func `What is not UTF-8 is refused where it begins`() {
        #expect(Native.problems(Array("name: web\nversion: ä".utf8) + [0xff, 0x0a]) == "2:11: the file is not UTF-8")
    }

    @Test(arguments: [
        ("\u{1b}[31m", "6:9: the character U+001B is not allowed"),
        ("\u{202e}txt.exe", "6:9: the character U+202E is not allowed"),
        ("\u{2028}", "6:9: the character U+2028 is not allowed"),
        ("\u{0}", "6:9: the character U+0000 is not allowed"),
        ("a\rb", "6:11: a carriage return without a line feed is not allowed"),
    ])
    func `Characters that hide something are refused`(text: String, problem: String) {
        #expect(Native.problems(Native.minimal("locale: \(text)\n")) == problem)
    }

    @Test func `Characters that YAML escapes are refused where they do not belong`() {
        let text = Native.minimal("users: [{name: a, comment: \"\\e[31m\"}]\ncommands: [\"a\\0b\"]\n")
        #expect(
            Native.problems(text)
                == "6:28: the character U+001B is not allowed here\n7:12: the character U+0000 is not allowed here")
    }

    @Test func `A message shows no character that would command a terminal`() {
        #expect(
            Native.problems(Native.minimal("locale: \"\\e[31m\"\n"))
                == "6:9: '\u{fffd}[31m' is not a locale, such as en_US.UTF-8")
    }

    @Test func `A byte order mark and Windows line ends are accepted`() throws {
        let text = "\u{feff}" + Native.minimal("commands:\n  - |\n    a\n    b\n").replacing("\n", with: "\r\n")
        #expect(try Native.parse(text).commands == [CommandChange(run: "a\nb\n")])
    }

    @Test func `A file of more than a mebibyte is refused`() {
        let text = Native.minimal("# " + String(repeating: "x", count: 1 << 20) + "\n")
        #expect(Native.problems(text) == "1:1: the file is larger than 1 MiB")
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n...\n"])
    func `A file without content is refused`(text: String) {
        #expect(Native.problems(text) == "1:1: the file is empty")
    }

    @Test(arguments: [
        ("packages: [a\n", "7:1: the YAML is malformed: did not find expected ',' or ']'"),
        ("packages: \"a\n", "7:1: the YAML is malformed: found unexpected end of stream"),
        ("\tpackages: []\n", "6:1: the YAML is malformed: found a tab character that violates indentation"),
        ("locale: @x\n", "6:9: the YAML is malformed: found character that cannot start any token"),
        ("locale: *x\n", "6:9: the alias '*x' has no anchor before it"),
        ("packages: &x [*x]\n", "6:15: the alias '*x' has no anchor before it"),
        ("---\na: 1\n", "6:1: the file has a second YAML document"),
        ("a: 1\na: 2\nlocale: x\nlocale: y\n", "7:1: the key 'a' is there twice\n9:1: the key 'locale' is there twice"),
    ])
    func `Malformed YAML is told where it breaks`(text: String, problem: String) {
        #expect(Native.problems(Native.minimal(text)) == problem)
    }

    @Test(arguments: ["!!python/object:os.system ls", "!secret x", "!!binary aGVsbG8=", "!!map x"])
    func `Tags that mean something else are refused`(text: String) {
        let tag = text.prefix { $0 != " " }.replacing("!!", with: "tag:yaml.org,2002:")
        #expect(Native.problems(Native.minimal("locale: \(text)\n")) == "6:9: the tag '\(tag)' is not supported")
    }

    @Test(arguments: [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[a: ", "]"), ("[", ""), ("&a [", "]")])
    func `What is nested too deeply is refused`(open: String, close: String) {
        for depth in [70, 1000, 50_000] {
            let text =
                "packages:\n  " + String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            let problems = Native.problems(Native.minimal(text + "\n"))
            #expect(problems.contains("too deeply") || problems.contains("malformed"), "\(depth)")
        }
    }

    @Test func `Deep maps in block style are refused`() {
        var text = ""
        for depth in 0..<1000 { text += String(repeating: " ", count: depth) + "a:\n" }
        #expect(Native.problems(text) == "65:65: this is nested too deeply")
    }

    @Test func `Aliases that multiply are refused`() {
        var text = "variables: &v0 {a: b}\n"
        for level in 1...20 {
            text += "x\(level): &v\(level) [*v\(level - 1), *v\(level - 1), *v\(level - 1), *v\(level - 1)]\n"
        }
        #expect(Native.problems(text) == "18:12: the file has more than 64 aliases")
    }

    @Test func `Aliases that multiply within the limit cost little`() {
        var text = Native.minimal("packages:\n  - &v0 [a, b, c, d]\n")
        for level in 1...20 { text += "  - &v\(level) [*v\(level - 1), *v\(level - 1), *v\(level - 1)]\n" }
        let problems = Native.problems(text + "? *v20\n: x\n")
        #expect(problems == "28:3: a key must be a word")
    }

    @Test func `Stars and ampersands in texts are no aliases`() throws {
        let lines = String(repeating: "    * * * * * root sync *all && true &x\n", count: 100)
        let text = Native.minimal("files:\n- path: /etc/cron.d/sync\n  content: |\n" + lines)
        #expect(try Native.parse(text).files.count == 1)
    }

    @Test func `Texts that variables make huge are refused`() {
        let value = String(repeating: "x", count: 300_000)
        let uses = String(repeating: "- echo ${a}\n", count: 10_000)
        let problems = Native.problems(Native.minimal("variables: {a: \(value)}\ncommands:\n" + uses))
        #expect(problems == ("63:3: the texts are larger than 16 MiB with their variables replaced"))
    }

    @Test func `Of very many problems the first hundred are told`() {
        let problems = Native.problems(Native.minimal((0..<5000).map { "k\($0): 1\n" }.joined()))
        #expect(problems.split(separator: "\n").count == 101)
        #expect(problems.hasSuffix("106:1: there are more problems: mend the first ones"))
    }
}
