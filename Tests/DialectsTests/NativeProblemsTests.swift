import Model
import Testing

/// A definition that is wrong in one way, and all that is said of it.
struct Wrong: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var text: String
    var problems: String

    /// The sound definition of five lines with more after it.
    init(_ testDescription: String, _ more: String, _ problems: String) {
        self.testDescription = testDescription
        text = Native.minimal(more)
        self.problems = problems
    }

    init(_ testDescription: String, whole: String, _ problems: String) {
        self.testDescription = testDescription
        text = whole
        self.problems = problems
    }
}

@Suite struct NativeProblemsTests {
    @Test(arguments: keys + values + fits)
    func `A mistake is told where it is, with what to do`(wrong: Wrong) {
        #expect(Native.problems(wrong.text) == wrong.problems)
    }

    @Test func `All problems are told at once, in the order of the file`() {
        let text = Native.minimal("disk:\n  table: apm\nlocale: de\nhostnam: web\n").replacing(
            "release: 13", with: "release: 31")
        let expected = """
            5:12: unknown release of debian '31'; did you mean '13'?
            7:10: 'apm' is not one of gpt, mbr
            8:9: 'de' is not a locale, such as en_US.UTF-8
            9:1: unknown key 'hostnam'; did you mean 'hostname'?
            """
        #expect(Native.problems(text) == expected)
    }

    @Test func `A package that is named twice is installed once, with a warning`() throws {
        let (definition, warnings) = try Native.parse(Array(Native.minimal("packages: [less, vim, less]\n").utf8))
        #expect(definition.packages == ["less", "vim"])
        #expect(warnings.map(\.description) == ["/d/image.yaml:6:23: warning: the package 'less' is named twice"])
    }

    static let keys = [
        Wrong("unknown key", "pakages: [vim]\n", "6:1: unknown key 'pakages'; did you mean 'packages'?"),
        Wrong(
            "unknown key without a near one", "disk:\n  geometry: 1\n",
            "7:3: unknown key 'geometry'; known here: size, table, firmware"),
        Wrong("missing keys", whole: "name: web\n", "1:1: the key 'os' is missing\n1:1: the key 'version' is missing"),
        Wrong("missing key inside", "files:\n  - content: x\n", "7:5: the key 'path' is missing"),
        Wrong(
            "duplicate key", "packages: [vim]\npackages: [less]\n",
            "7:1: the key 'packages' is there twice"),
        Wrong("a key that is no word", "? [a, b]\n: c\n", "6:3: a key must be a word"),
        Wrong(
            "a list for the whole", whole: "- name: web\n",
            "1:1: expected a map with name, version, os, base, disk, hostname, locale, timezone, packages, apt_sources, files, "
                + "commands, users, cloud_init, reset, kernel_arguments, outputs, boot_check, verify, secrets, sign, publish, variables, found a list"
        ),
    ]

    static let values = [
        Wrong("text for a list", "packages: vim\n", "6:11: expected a list, found 'vim'"),
        Wrong("map for a list", "packages: {vim: 1}\n", "6:11: expected a list, found a map"),
        Wrong("list for a text", "hostname: [web]\n", "6:11: expected a host name, found a list"),
        Wrong("nothing for a text", "hostname:\n", "6:10: expected a host name, found nothing"),
        Wrong("a word for a flag", "boot_check: perhaps\n", "6:13: 'perhaps' is not true or false"),
        Wrong("bad choice", "disk: {table: gtp}\n", "6:15: 'gtp' is not one of gpt, mbr; did you mean 'gpt'?"),
        Wrong(
            "bad output", "outputs: [qcow3]\n",
            "6:11: 'qcow3' is not one of raw, qcow2, vmdk, vhd, vhdx, vdi, tar, tar.zst; did you mean 'qcow2'?"),
        Wrong("bad size", "disk: {size: big}\n", "6:14: 'big' is not 'automatic' or a size, such as 20G"),
        Wrong(
            "plain password", "users: [{name: a, password_hash: secret}]\n",
            "6:34: this is not a crypt(3) hash, as 'openssl passwd -6' prints it"),
        Wrong(
            "bad mode", "files: [{path: /a, content: b, mode: rw-r--r--}]\n",
            "6:38: 'rw-r--r--' is not an octal mode, such as 0644"),
        Wrong("bad host name", "hostname: Web_1\n", "6:11: 'Web_1' is not a host name, such as web.example.org"),
        Wrong(
            "credentials in a mirror", "base: {bootstrap: {mirror: 'http://me:pw@x.org/'}}\n",
            "6:28: this is not an http, https or file URI without credentials, such as http://deb.debian.org/debian"),
        Wrong(
            "a relative path", "files: [{path: etc/motd, content: b}]\n",
            "6:16: 'etc/motd' is not an absolute path, such as /etc/motd"),
    ]

    static let fits = [
        Wrong(
            "a secret of two places", "secrets:\n  - name: token\n    env: TOKEN\n    file: token\n",
            "7:5: a secret needs one of 'env', 'file' and 'secret'"),
        Wrong(
            "a short secret", "secrets:\n  - name: token\n    secret: hunter2\n",
            "8:13: a secret has at least 8 bytes: a shorter one cannot be searched for"),
        Wrong(
            "a waiver without reason", "verify:\n  waivers:\n    - rule: H-24\n",
            "8:7: the key 'reason' is missing"),
        Wrong(
            "a waiver of an unknown rule", "verify:\n  waivers: [{rule: X-1, reason: none}]\n",
            "7:20: unknown rule 'X-1'"),
        Wrong(
            "a rule waived twice",
            "verify:\n  waivers: [{rule: H-24, reason: one}, {rule: H-24, reason: two}]\n",
            "7:47: the waiver of 'H-24' is there twice"),
        Wrong(
            "unknown distribution", whole: Native.minimal().replacing("debian", with: "debain"),
            "4:17: unknown distribution 'debain'; did you mean 'debian'?"),
        Wrong(
            "unknown release", whole: Native.minimal().replacing("13", with: "sarge"),
            "5:12: unknown release of debian 'sarge'; known: trixie, 13, bookworm, 12"),
        Wrong(
            "unknown architecture", whole: Native.minimal("  architecture: arm64\n"),
            "6:17: the architecture 'arm64' cannot be built yet; the only one is amd64"),
        Wrong("too small a disk", "disk: {size: 1M}\n", "6:14: a disk has at least 64M"),
        Wrong("too large a disk", "disk: {size: 65T}\n", "6:14: the size '65T' is too large"),
        Wrong(
            "file twice", "files: [{path: /a, content: b}, {path: /a, content: c}]\n",
            "6:40: the file '/a' is there twice"),
        Wrong("user twice", "users: [{name: a}, {name: a}]\n", "6:27: the user 'a' is there twice"),
        Wrong("output twice", "outputs: [raw, {format: raw}]\n", "6:16: the output 'raw' is there twice"),
        Wrong("no output", "outputs: []\n", "6:10: the list must not be empty"),
        Wrong(
            "compression of tar", "outputs: [{format: tar, compression: zlib}]\n",
            "6:38: only qcow2 has a choice of compression"),
        Wrong(
            "a file of two contents", "files: [{path: /a, content: b, source: motd}]\n",
            "6:40: a file has either 'content' or 'source'"),
        Wrong("a file without content", "files: [{path: /a}]\n", "6:9: a file needs 'content' or 'source'"),
        Wrong(
            "missing local file", "files: [{path: /a, source: nowhere}]\n",
            "6:28: cannot read the local file '/d/nowhere': No such file or directory"),
        Wrong(
            "a path that leads up", "files: [{path: /a/../b, content: x}]\n",
            "6:16: the path '/a/../b' must have no '//', '/./' or '/../' and end in a name"),
        Wrong(
            "too long a boot check", "boot_check: {limit: 25h}\n",
            "6:13: the limit of a boot check is between 1s and 24h"),
        Wrong(
            "dots in a name", whole: Native.minimal().replacing("web", with: "a..b"),
            "1:7: 'a..b' must not have '..' in it"),
        Wrong(
            "too large a number", "users: [{name: a, uid: 65536}]\n",
            "6:24: '65536' is not a number up to 65535"),
        Wrong(
            "an owner that no build has", "files: [{path: /a, content: x, owner: '70000'}]\n",
            "6:39: '70000' is not a number up to 65535"),
        Wrong(
            "a group that no build has", "files: [{path: /a, content: x, group: '70000'}]\n",
            "6:39: '70000' is not a number up to 65535"),
    ]
}
