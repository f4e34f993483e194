import Engine
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

/// A proxy with a cache of its own, and a contained shell in the place of a guest.
private struct Guest: Sendable {
    static let runner = CommandRunner(helper: builtExecutable(), proxies: [:])

    let network: GuestNetwork
    let folder: FilePath

    /// Runs a script where a guest's QEMU runs.
    func run(_ script: String) async throws -> CommandResult {
        let containment = Containment(
            network: network.containment, workSize: .mebi(16),
            binds: [.init(source: folder, target: "/mnt/machine", writable: true)])
        return try await Self.runner.run(
            Command("bash", ["-c", script], containment: containment, timeout: .seconds(60)))
    }

    /// What curl gets, or its complaint.
    func fetch(_ url: String, _ options: String = "") async throws -> String {
        let result = try await run("curl --disable --silent --show-error --max-time 20 \(options) '\(url)'")
        return result.succeeded ? result.text : result.reason ?? "\(result.ending)"
    }
}

private final class Log: Sendable {
    private let kinds = Mutex<[BuildEvent.Kind]>([])

    var report: StepReport { StepReport(step: "install") { kind in self.kinds.withLock { $0.append(kind) } } }

    var warnings: [String] {
        kinds.withLock { $0 }.compactMap { if case .warning(_, let message) = $0 { message } else { nil } }
    }

    var lines: [String] { kinds.withLock { $0 }.compactMap { if case .log(_, let line) = $0 { line } else { nil } } }
}

@Suite(.timeLimit(.minutes(2))) struct GuestNetworkTests {
    private let package = Array("the bytes of a package".utf8)

    /// A store of a moment, for several guests one after the other.
    private func withStore(_ body: (FilePath) async throws -> Void) async throws {
        try await withTemporaryFolder { store in
            for name in ["packages", "urls", "downloads", "machine"] {
                try #require(mkdir(store.appending(name).string, 0o755) == 0)
            }
            try Containment.handOver(store.appending("machine"))
            // Contained processes pass through it.
            chmod(store.string, 0o755)
            try await body(store)
        }
    }

    @discardableResult
    private func withGuest(
        _ store: FilePath, port: UInt16, offline: Bool = false, log: Log = Log(),
        resolve: (@Sendable (String) -> [NetworkAddress])? = nil, _ body: (Guest) async throws -> Void
    ) async throws -> GuestTraffic {
        let mirror = try #require(
            MirrorRule(origin: "deb.example/debian", replacement: "http://127.0.0.1:\(port)/debian"))
        var rules = ProxyRules(mirrors: [mirror])
        if let resolve { rules.resolve = resolve }
        let settings = GuestProxy.Settings(
            rules: rules, cache: GuestCache(store: store), scratch: store.appending("downloads"), isOffline: offline)
        let folder = store.appending("machine")
        let (_, traffic) = try await GuestNetwork.with(
            settings, folder: folder, inside: "/mnt/machine", runner: Guest.runner, report: log.report
        ) { network in try await body(Guest(network: network, folder: folder)) }
        #expect(names(in: store.appending("downloads")) == [])
        return try #require(traffic)
    }

    @Test func `Whatever host a guest names, it is answered by the proxy, which asks the mirror`() async throws {
        try await TestServer.with { _ in
            .init(body: Array("Origin: Debian".utf8))
        } _: { server in
            try await withStore { store in
                let traffic = try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(try await guest.fetch("http://deb.example/debian/dists/trixie/Release") == "Origin: Debian")
                    let byProxy = "--proxy http://10.0.2.2:3128"
                    #expect(try await guest.fetch("http://deb.example/debian/README", byProxy) == "Origin: Debian")
                    #expect(try await guest.run("getent hosts any.example").text.hasPrefix("10.0.2.2 "))
                }
                #expect(server.requests.map(\.target) == ["/debian/dists/trixie/Release", "/debian/README"])
                #expect(traffic.requests == 2)
                #expect(traffic.downloaded == 28)
            }
        }
    }

    @Test func `A question for another address than IPv4 has an answer without one`() async throws {
        try await TestServer.with { _ in
            .init()
        } _: { server in
            try await withStore { store in
                try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    let script = #"""
                        exec {way}<>/dev/udp/127.0.0.1/53
                        printf '\x12\x34\x01\0\0\1\0\0\0\0\0\0\1a\0\0\x1c\0\1' >&$way
                        dd bs=512 count=1 status=none <&$way | od -An -v -tx1
                        """#
                    let words = try await guest.run(script).text.split { $0.isWhitespace }.joined(separator: " ")
                    #expect(words == "12 34 81 80 00 01 00 00 00 00 00 00 01 61 00 00 1c 00 01")
                }
            }
        }
    }

    @Test func `A package is downloaded once, and kept under its digest`() async throws {
        let url = "http://deb.example/debian/pool/main/a/a_1.0%2b1_all.deb"
        try await TestServer.with { [package] _ in
            .init(body: package)
        } _: { server in
            try await withStore { store in
                let first = try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(try await guest.fetch(url) == "the bytes of a package")
                }
                #expect(first.packages == 22)
                #expect(names(in: store.appending("packages")) == [Digest(of: package).hex + ".deb"])
                let second = try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(try await guest.fetch(url) == "the bytes of a package")
                    #expect(try await guest.fetch(url.replacing("%2b", with: "+"), "--range 4-8") == "bytes")
                }
                #expect(server.requests.count == 1)
                #expect(second.downloaded == 0)
                #expect(second.cached == 27)
            }
        }
    }

    @Test func `A package that a bootstrap has is not downloaded for a guest`() async throws {
        try await TestServer.with { _ in
            .init(status: 500)
        } _: { server in
            try await withStore { store in
                let digest = Digest(of: package)
                try writeFile(package, to: store.appending("packages").appending(digest.hex + ".deb"))
                let locked = LockedPackage(
                    name: "a", version: "1", architecture: "all", digest: digest, size: UInt64(package.count),
                    archive: "debian",
                    file: "pool/a_1_all.deb")
                GuestCache(store: store).remember([locked], from: ["debian": "http://127.0.0.1:\(server.port)/debian"])
                let traffic = try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(
                        try await guest.fetch("http://deb.example/debian/pool/a_1_all.deb") == "the bytes of a package")
                }
                #expect(server.requests == [])
                #expect(traffic.downloaded == 0)
            }
        }
    }

    @Test func `A list is asked for anew each time, and downloaded only when it has changed`() async throws {
        let version = Mutex(1)
        try await TestServer.with { request in
            let version = version.withLock { $0 }
            if request.fields["if-none-match"] == "\"\(version)\"" { return .init(status: 304) }
            return .init(fields: [("etag", "\"\(version)\"")], body: Array("list \(version)".utf8))
        } _: { server in
            try await withStore { store in
                let url = "http://deb.example/debian/dists/trixie/InRelease"
                let traffic = try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(try await guest.fetch(url) == "list 1")
                    #expect(try await guest.fetch(url) == "list 1")
                    version.withLock { $0 = 2 }
                    #expect(try await guest.fetch(url) == "list 2")
                }
                #expect(server.requests.count == 3)
                #expect(traffic.downloaded == 12)
                #expect(traffic.cached == 6)
            }
        }
    }

    @Test func `Offline a guest gets what is there, and is told what is not`() async throws {
        try await TestServer.with { _ in
            .init(body: Array("list".utf8))
        } _: { server in
            try await withStore { store in
                let url = "http://deb.example/debian/dists/trixie/InRelease"
                try await withGuest(store, port: server.port) { guest in _ = try await guest.fetch(url) }
                let log = Log()
                try await withGuest(store, port: server.port, offline: true, log: log) { (guest: Guest) async throws in
                    #expect(try await guest.fetch(url) == "list")
                    #expect(try await guest.fetch(url + ".gpg", "--write-out ' %{http_code}'").hasSuffix(" 504"))
                }
                #expect(server.requests.count == 1)
                #expect(log.lines.contains { $0.contains("the cache does not have") && $0.contains("InRelease.gpg") })
            }
        }
    }

    @Test func `What breaks off is no success for the guest, and is not kept`() async throws {
        try await TestServer.with { [package] _ in
            .init(body: package, length: 1000)
        } _: { server in
            try await withStore { store in
                let log = Log()
                try await withGuest(store, port: server.port, log: log) { (guest: Guest) async throws in
                    let result = try await guest.run("curl --disable http://deb.example/debian/pool/a_1_all.deb")
                    #expect(result.ending == .exited(18))
                }
                #expect(names(in: store.appending("packages")) == [])
                #expect(log.lines.contains { $0.contains("broke off") })
            }
        }
    }

    @Test func `Another content under the name of a package is not kept`() async throws {
        try await TestServer.with { _ in
            .init(body: Array("something else".utf8))
        } _: { server in
            try await withStore { store in
                let url = try #require(ProxyURL("http://127.0.0.1:\(server.port)/debian/pool/a_1_all.deb"))
                let entry = GuestCache.Entry(url: url.description, digest: Digest(of: package), size: 22)
                try GuestCache(store: store).remember(entry, of: url)
                let log = Log()
                try await withGuest(store, port: server.port, log: log) { (guest: Guest) async throws in
                    _ = try await guest.fetch("http://deb.example/debian/pool/a_1_all.deb")
                }
                #expect(names(in: store.appending("packages")) == [])
                #expect(log.warnings.contains { $0.contains("is not the package that was there") })
            }
        }
    }

    @Test func `A guest reaches no service of the host, neither directly nor through the proxy`() async throws {
        try await TestServer.with { _ in
            .init(body: Array("private".utf8))
        } _: { server in
            try await withStore { store in
                let log = Log()
                let port = server.port
                let own = NetworkAddress.own().filter { $0.bytes.count == 4 }.map(\.description)
                // A name that leads to the host, as whoever owns the name may decide.
                let resolve: @Sendable (String) -> [NetworkAddress] = {
                    $0 == "evil.example" ? [NetworkAddress(bytes: [127, 0, 0, 1])] : NetworkAddress.resolve($0)
                }
                let traffic = try await withGuest(store, port: port, log: log, resolve: resolve) {
                    (guest: Guest) async throws in
                    for host in ["10.0.2.2", "127.0.0.1", "192.0.2.1"] {
                        // The relay has to see the attempt before its containment ends.
                        let result = try await guest.run("curl --disable http://\(host):\(port)/; echo $?; sleep 0.3")
                        #expect(result.text == "7")
                    }
                    for host in ["127.0.0.1", "localhost", "2130706433", "[::1]", "evil.example"] + own {
                        let said = try await guest.fetch(
                            "http://\(host):\(port)/x",
                            "--proxy http://10.0.2.2:3128 --noproxy '' --write-out ' %{http_code}'")
                        #expect(said.hasSuffix(" 403"), "\(host)")
                    }
                    let up = "http://deb.example/debian/%2e%2e/x"
                    #expect(try await guest.fetch(up, "--path-as-is --write-out ' %{http_code}'").hasSuffix(" 400"))
                    _ = try await guest.run("exec 3<>/dev/udp/192.0.2.1/123; echo >&3; sleep 0.2")
                }
                #expect(server.requests == [])
                #expect(traffic.refused.contains("port \(port)"))
                #expect(traffic.refused.contains("port \(port) of 192.0.2.1"))
                #expect(traffic.refused.contains("port 123 (udp) of 192.0.2.1"))
                #expect(log.warnings.contains { $0.contains("guests reach http only") })
            }
        }
    }

    @Test func `A redirect is followed, and not into the host`() async throws {
        let port = Mutex<UInt16>(0)
        try await TestServer.with { request in
            switch request.target {
            case "/debian/a": .init(status: 302, fields: [("location", "/debian/b")])
            case "/debian/b": .init(body: Array("arrived".utf8))
            case "/debian/loop": .init(status: 302, fields: [("location", "loop"), ("location", "/debian/loop")])
            default: .init(status: 302, fields: [("location", "http://127.0.0.1:\(port.withLock { $0 })/secret")])
            }
        } _: { server in
            port.withLock { $0 = server.port }
            try await withStore { store in
                try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    #expect(try await guest.fetch("http://deb.example/debian/a") == "arrived")
                    #expect(try await guest.fetch("http://deb.example/debian/c").contains("guests do not reach"))
                }
                #expect(!server.requests.contains { $0.target == "/secret" })
            }
        }
    }

    @Test func `A request for https ends at once with a warning that names the host`() async throws {
        try await TestServer.with { _ in
            .init()
        } _: { server in
            try await withStore { store in
                let log = Log()
                let traffic = try await withGuest(store, port: server.port, log: log) { (guest: Guest) async throws in
                    for _ in 1...2 { #expect(try await guest.fetch("https://secure.example/x").contains("SSL")) }
                    _ = try await guest.fetch("https://other.example/x", "--proxy http://10.0.2.2:3128")
                }
                #expect(traffic.secureHosts == ["secure.example", "other.example"])
                #expect(log.warnings.filter { $0.contains("https://secure.example: only http") }.count == 1)
            }
        }
    }

    @Test func `A guest that sends nonsense harms nobody`() async throws {
        try await TestServer.with { _ in
            .init(body: Array("fine".utf8))
        } _: { server in
            try await withStore { store in
                try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    let script = """
                        connect() { exec {way}<>/dev/tcp/10.0.2.2/$1; }
                        for port in 80 443 3128; do
                            connect $port; head -c 200000 /dev/urandom >&$way 2> /dev/null
                            connect $port; head -c 1000000 /dev/zero >&$way 2> /dev/null
                        done
                        connect 80; (printf 'GET / HTTP/1.1\\r\\n'; yes 'A: b' | head -n 1000000) >&$way 2> /dev/null
                        connect 80; (printf 'GET /'; yes | head -c 1000000) >&$way 2> /dev/null
                        connect 80; (printf 'POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 9999999999999999999999\\r\\n\\r\\n') >&$way
                        exec {dns}<>/dev/udp/127.0.0.1/53
                        for i in 1 2 3 4 5 6 7 8 9; do head -c $((i * 60)) /dev/urandom >&$dns; done
                        # More connections than there are places, all silent.
                        for i in {1..90}; do connect 80; done
                        """
                    let result = try await guest.run(script)
                    #expect(result.succeeded)
                    #expect(try await guest.fetch("http://deb.example/debian/x") == "fine")
                }
            }
        }
    }

    @Test func `Several guests share the cache at once`() async throws {
        try await TestServer.with { [package] _ in
            .init(body: package)
        } _: { server in
            try await withStore { store in
                try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    let script = """
                        for i in {1..12}; do
                            curl --disable --silent http://deb.example/debian/pool/a_$((i % 3))_all.deb > /mnt/tmp/$i &
                        done
                        wait; cat /mnt/tmp/[0-9]* | wc -c
                        """
                    #expect(try await guest.run(script).text == "\(12 * package.count)")
                }
                #expect(names(in: store.appending("packages")) == [Digest(of: package).hex + ".deb"])
                #expect(names(in: store.appending("urls")).count == 3)
            }
        }
    }

    @Test(.enabled(if: access("/usr/lib/ipxe/qemu/efi-virtio.rom", R_OK) == 0))
    func `A real guest boots from a URL whose host it has to look up`() async throws {
        let script = "#!ipxe\necho hello from the mirror\nexit\n"
        try await TestServer.with { _ in
            .init(body: Array(script.utf8))
        } _: { server in
            try await withStore { store in
                try await withGuest(store, port: server.port) { (guest: Guest) async throws in
                    let machine = Machine(
                        accelerator: .tcg, memory: .mebi(256), disks: [], network: guest.network.machine,
                        folder: "/mnt/machine")
                    let arguments = try machine.arguments().map { argument in
                        argument.replacing("romfile=", with: "bootindex=0")
                            .replacing(
                                "user,id=network", with: "user,id=network,bootfile=http://deb.example/debian/boot"
                            )
                            .replacing(
                                "socket,id=serial,path=/mnt/machine/serial.sock,server=on,wait=off",
                                with: "stdio,id=serial,signal=off")
                    }.filter { $0 != "-S" }
                    let containment = Containment(
                        network: guest.network.containment, workSize: .mebi(16),
                        binds: [.init(source: guest.folder, target: "/mnt/machine", writable: true)])
                    let said = Mutex("")
                    try await Guest.runner.withRunning(
                        Command("qemu-system-x86_64", arguments, containment: containment, timeout: .seconds(60))
                    ) { _, line in
                        said.withLock { $0 += line }
                    } body: { _ in
                        let deadline = ContinuousClock.now + .seconds(50)
                        while !said.withLock({ $0.contains("hello from") }), ContinuousClock.now < deadline {
                            try await Task.sleep(for: .milliseconds(50))
                        }
                    }
                    #expect(said.withLock { $0 }.contains("hello from the mirror"))
                }
                #expect(server.requests.map(\.target) == ["/debian/boot"])
            }
        }
    }
}
