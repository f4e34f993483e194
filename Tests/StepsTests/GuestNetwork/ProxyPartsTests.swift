import Testing

@testable import Steps

@Suite struct HTTPParserTests {
    private func parse(_ text: String) throws -> HTTPRequest { try HTTPParser.request(Array(text.utf8)[...]) }

    @Test func `A request is read with its fields, whatever ends its lines`() throws {
        for end in ["\r\n", "\n"] {
            let request = try parse("GET /a?b HTTP/1.1\(end)HOST: x.example:80\(end)Range:  bytes=0-1 \(end)\(end)")
            #expect(request.target == "/a?b")
            #expect(request.fields["host"] == "x.example:80")
            #expect(request.fields["range"] == "bytes=0-1")
            #expect(request.keepsConnection)
        }
    }

    @Test(arguments: [
        "", "\n", "GET\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n", "GET /ü HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n", "GET / HTTP/1.1\r\na b: x\r\n\r\n",
        "GET / HTTP/1.1\r\n folded: x\r\n\r\n", "GET / HTTP/1.1\r\na: \u{0}\r\n\r\n",
    ]) func `What is no plain request is refused`(text: String) {
        #expect(throws: HTTPParser.Problem.malformed) { try parse(text) }
    }

    @Test func `A head has a limit, in bytes and in fields`() {
        let many = String(repeating: "a: b\r\n", count: 101)
        #expect(throws: HTTPParser.Problem.tooLarge) { try parse("GET / HTTP/1.1\r\n\(many)\r\n") }
        let long = String(repeating: "a", count: HTTPParser.limit)
        #expect(throws: HTTPParser.Problem.tooLarge) { try parse("GET /\(long) HTTP/1.1\r\n\r\n") }
    }

    @Test func `Random changes of a request never end the program`() {
        let seed = Array(
            "GET http://a.example:80/b%20c?d HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\nConnection: close\r\n\r\n".utf8)
        var generator = SystemRandomNumberGenerator()
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.removeSubrange(at..<Int.random(in: at...bytes.count, using: &generator))
                default: bytes.insert(contentsOf: bytes[..<at], at: at)
                }
            }
            guard let end = HTTPParser.headEnd(in: bytes[...]), let request = try? HTTPParser.request(bytes[..<end])
            else {
                continue
            }
            accepted += 1
            if let url = ProxyURL(target: request.target, host: request.fields["host"]) {
                // The form is a fixed one: what was accepted is accepted again, and is the same.
                #expect(ProxyURL(url.description) == url)
            }
            _ = request.fields["range"].flatMap { ByteRange.parse($0, size: 1000) }
        }
        #expect(accepted > 1000)
    }
}

@Suite struct ProxyURLTests {
    @Test(arguments: [
        ("http://DEB.debian.org/debian/", "http://deb.debian.org/debian/"),
        ("http://deb.debian.org:80/a%2bb%7e%2f%3a", "http://deb.debian.org/a+b~%2F%3A"),
        ("http://a.example./x#part", "http://a.example/x"), ("http://a.example", "http://a.example/"),
        ("http://a.example?x", "http://a.example/?x"), ("https://a.example:443/", "https://a.example/"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"), ("http://a/?../..", "http://a/?../.."),
    ]) func `A URL has one form`(text: String, form: String) {
        #expect(ProxyURL(text)?.description == form)
    }

    @Test(arguments: [
        "ftp://a/", "http:///x", "http://user@a/", "http://a:0/", "http://a:70000/", "http://a:/", "http://a:+80/",
        "http://a b/", "http://-a/", "http://[::1/", "http://[a]/", "http://a/../b", "http://a/%2e%2E/b", "http://a/%",
        "http://a/%+1", "http://a/%zz", "http://a/\u{7f}", "http://ü/", "file:///etc/passwd", "",
    ]) func `What is no plain URL is none`(text: String) {
        #expect(ProxyURL(text) == nil)
    }

    @Test func `A request is for the host that it names, and for one host only`() {
        #expect(ProxyURL(target: "/x", host: "a:8080")?.description == "http://a:8080/x")
        #expect(ProxyURL(target: "http://b/x", host: "a")?.description == "http://b/x")
        #expect(ProxyURL(target: "/x", host: nil) == nil)
        #expect(ProxyURL(target: "/x", host: "a/b") == nil)
        #expect(ProxyURL(target: "*", host: "a") == nil)
    }

    @Test func `A mirror stands for its place and what is below it`() throws {
        let rule = try #require(MirrorRule(origin: "deb.debian.org/debian/", replacement: "https://m.example/d"))
        let inside = try #require(ProxyURL("http://deb.debian.org/debian/pool/a.deb"))
        #expect(rule.apply(to: inside)?.description == "https://m.example/d/pool/a.deb")
        let beside = try #require(ProxyURL("http://deb.debian.org/debian-security/x"))
        #expect(rule.apply(to: beside) == nil)
        #expect(ProxyURL("https://m.example/d/x").map(rule.covers) == true)
        #expect(ProxyURL("https://m.example/data").map(rule.covers) == false)
        #expect(ProxyURL("http://m.example:443/d/x").map(rule.covers) == false)
    }

    @Test func `The mirrors of this machine stand for the public archives`() throws {
        let lines = "Debian\tDebian\thttp://m.example/debian/\nDebian\tDebian-Security\thttp://m.example/security\n"
        let rules = ProxyRules(mirrors: GuestMirrors.rules(for: lines))
        func target(_ text: String) throws -> String { rules.target(of: try #require(ProxyURL(text))).description }
        #expect(try target("http://deb.debian.org/debian/x") == "http://m.example/debian/x")
        #expect(try target("http://security.debian.org/debian-security/x") == "http://m.example/security/x")
        #expect(try target("http://security.debian.org/dists") == "http://m.example/security/dists")
        #expect(try target("http://archive.ubuntu.com/ubuntu/x") == "http://archive.ubuntu.com/ubuntu/x")
    }

    @Test(arguments: [
        ("pool/main/a/a_1_amd64.deb", "deb", true), ("pool/a.udeb?x", "udeb", true), ("Packages/a.rpm", "rpm", true),
        ("dists/trixie/InRelease", "file", false), ("main/by-hash/SHA256/abc", "file", true),
        ("repodata/0123456789012345678901234567890123456789-primary.xml.gz", "file", true),
        ("repodata/repomd.xml", "file", false), ("a.deb/", "deb", true), ("", "file", false),
    ]) func `Packages and what is named by its digest never change`(path: String, suffix: String, isFixed: Bool) throws
    {
        let kind = ContentKind(try #require(ProxyURL("http://a/" + path)))
        #expect(kind.suffix == suffix)
        #expect(kind.isFixed == isFixed)
    }
}

@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            [0, 0, 0, 0], [10, 1, 2, 3], [100, 64, 0, 1], [127, 0, 0, 1], [127, 255, 0, 9], [169, 254, 169, 254],
            [172, 31, 0, 1],
            [192, 168, 1, 1], [198, 19, 0, 1], [192, 0, 0, 8], [224, 0, 0, 1], [255, 255, 255, 255],
        ] as [[UInt8]]) func `Addresses of a machine and its network are not public`(bytes: [UInt8])
    {
        #expect(!NetworkAddress(bytes: bytes).isPublic)
        let zeroes = [UInt8](repeating: 0, count: 10)
        #expect(!NetworkAddress(bytes: zeroes + [0xff, 0xff] + bytes).isPublic)
        #expect(!NetworkAddress(bytes: zeroes + [0, 0] + bytes).isPublic)
        #expect(!NetworkAddress(bytes: [0, 0x64, 0xff, 0x9b] + zeroes[..<8] + bytes).isPublic)
        #expect(!NetworkAddress(bytes: [0x20, 2] + bytes + zeroes).isPublic)
    }

    @Test(arguments: [[0xfe, 0x80], [0xfc, 0], [0xfd, 1], [0xff, 2], [0, 0]] as [[UInt8]])
    func `IPv6 addresses of a network are not public`(prefix: [UInt8]) {
        #expect(!NetworkAddress(bytes: prefix + [UInt8](repeating: 0, count: 13) + [1]).isPublic)
    }

    @Test(
        arguments: [
            [8, 8, 8, 8], [172, 32, 0, 1], [192, 0, 2, 1], [151, 101, 2, 132],
            [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 1, count: 12),
        ] as [[UInt8]])
    func `Addresses of the world are public`(bytes: [UInt8]) { #expect(NetworkAddress(bytes: bytes).isPublic) }

    @Test func `A name is looked up once, and all its private addresses are left out`() throws {
        let mixed = [[127, 0, 0, 1], [192, 0, 2, 1]].map { NetworkAddress(bytes: $0) }
        var rules = ProxyRules()
        rules.resolve = { _ in mixed }
        let url = try #require(ProxyURL("http://a.example/"))
        #expect(try rules.address(of: url) == mixed[1])
        rules.own = { [mixed[1]] }
        #expect(throws: ProxyRules.Refusal.notPublic(host: "a.example")) { try rules.address(of: url) }
        rules.resolve = { _ in [] }
        #expect(throws: ProxyRules.Refusal.unknownHost("a.example")) { try rules.address(of: url) }
        rules.usesProxy = true
        #expect(try rules.address(of: url) == nil)
        let local = try #require(ProxyURL("http://localhost/"))
        #expect(throws: ProxyRules.Refusal.self) { try rules.address(of: local) }
    }

    @Test func `curl connects to the address that was judged, and to no other`() throws {
        let url = try #require(ProxyURL("http://a.example:8080/x"))
        let wish = UpstreamFetch.Wish(url: url, address: NetworkAddress(bytes: [192, 0, 2, 1]))
        let arguments = UpstreamFetch.arguments(wish)
        #expect(arguments.contains(["--resolve", "a.example:8080:192.0.2.1"]))
        #expect(arguments.suffix(2) == ["--url", "http://a.example:8080/x"])
        #expect(!arguments.contains("--location"))
        let literal = try #require(ProxyURL("http://[2001:db8::1]/x"))
        let direct = UpstreamFetch.arguments(.init(url: literal, address: NetworkAddress(bytes: [192, 0, 2, 1])))
        #expect(!direct.contains("--resolve"))
    }
}

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            ("bytes=0-0", 0..<1), ("bytes=5-", 5..<10), ("bytes=-3", 7..<10), ("bytes=-30", 0..<10),
            ("bytes=2-300", 2..<10),
            ("bytes=10-", nil), ("bytes=3-2", nil), ("bytes=0-1,3-4", nil), ("bytes=-", nil), ("bytes=-0", nil),
            ("bytes=a-b", nil), ("bits=0-1", nil), ("bytes=99999999999999999999-", nil),
            ("bytes=0-18446744073709551615", 0..<10),
        ] as [(String, Range<UInt64>?)]) func `A single range is read, others are not`(
            text: String, range: Range<UInt64>?
        )
    {
        #expect(ByteRange.parse(text, size: 10) == range)
    }
}

@Suite struct ClientHelloTests {
    private static let hello: [UInt8] = {
        func sized(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
        let name = Array("a.example".utf8)
        let extensions = [0, 23, 0, 0] + [0, 0] + sized(sized([0] + sized(name)))
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + sized([0x13, 1]) + [1, 0] + sized(extensions)
        return [22, 3, 1] + sized([1, 0] + sized(body))
    }()

    @Test func `The name of the wanted server is read`() {
        #expect(ClientHello.serverName(in: Self.hello) == "a.example")
    }

    @Test func `What is cut or changed is no name, and never ends the program`() {
        for count in 0..<Self.hello.count { #expect(ClientHello.serverName(in: Array(Self.hello[..<count])) == nil) }
        for at in Self.hello.indices {
            for value in [0, 1, 127, 255] as [UInt8] {
                var bytes = Self.hello
                bytes[at] = value
                let name = ClientHello.serverName(in: bytes)
                #expect(name.map { $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } } ?? true)
            }
        }
    }
}
