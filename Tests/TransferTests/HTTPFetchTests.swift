import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Transfer

@Suite struct HTTPFetchTests {
    private static let size = 2_000_000
    private let file = ServedFile(content: ServedFile.bytes(Self.size))

    private func expectNothing(in sources: Sources) {
        #expect(sources.kept == [] && sources.partial == [] && sources.index == [])
    }

    @Test func `A file is kept read-only under its digest, and how far it is is told`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(found.digest == Digest(of: file.content))
                #expect(found.size == ByteCount(UInt64(Self.size)) && !found.wasCached && !found.revalidated)
                #expect(sources.kept == [found.digest.hex] && sources.partial == [])
                var facts = stat()
                #expect(stat(found.path.string, &facts) == 0 && facts.st_mode & 0o777 == 0o444)
                #expect(facts.st_uid == geteuid())
                let last = try #require(sources.notes.progress.withLock { $0.last })
                #expect(last == (UInt64(Self.size), UInt64(Self.size)))
            }
        }
    }

    private static let validators: [(String?, String?)] = [("\"one\"", nil), (nil, "Sat, 21 Nov 2026 10:00:00 GMT")]

    @Test(arguments: validators)
    func `What is kept is fetched again only when it has changed`(tag: String?, date: String?) async throws {
        let first = ServedFile(content: ServedFile.bytes(1000), tag: tag, date: date)
        let second = ServedFile(content: ServedFile.bytes(1000, seed: 2), tag: "\"two\"")
        try await FaultServer.with { number, request, connection in
            if number == 1, request.headers["if-none-match"] == tag, request.headers["if-modified-since"] == date {
                return connection.head("304 Not Modified")
            }
            (number < 2 ? first : second).serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                _ = try await sources.fetch(server.url())
                let again = try await sources.fetch(server.url())
                #expect(again.wasCached && again.revalidated)
                #expect(server.sent == 1000)
                let changed = try await sources.fetch(server.url())
                #expect(!changed.wasCached)
                #expect(try changed.bytes == second.content)
            }
        }
    }

    @Test(arguments: ServedFile.Ending.allCases)
    func `What breaks off goes on where it broke`(ending: ServedFile.Ending) async throws {
        try await FaultServer.with { [file] number, request, connection in
            file.serve(request, connection, cut: number < 2 ? 600_000 : nil, ending: ending)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(server.requests.count == 3)
                #expect(server.sent <= Self.size * 105 / 100)
            }
        }
    }

    @Test(arguments: ServedFile.Ending.allCases)
    func `What an earlier run began is not fetched twice`(ending: ServedFile.Ending) async throws {
        try await FaultServer.with { [file] number, request, connection in
            file.serve(request, connection, cut: number == 0 ? 1_500_000 : nil, ending: ending)
        } _: { server in
            try await Sources.with { sources in
                var limits = Sources.limits
                limits.attempts = 1
                _ = try await sources.failure(server.url(), limits: limits)
                #expect(sources.kept == [] && sources.partial.count == 1)
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(server.sent <= Self.size * 105 / 100)
                #expect(sources.partial == [])
            }
        }
    }

    @Test func `A transfer that was cancelled goes on in the next run`() async throws {
        try await FaultServer.with { [file] number, request, connection in
            file.serve(request, connection, cut: number == 0 ? 1_500_000 : nil, ending: .stalled)
        } _: { server in
            try await Sources.with { sources in
                var limits = Sources.limits
                limits.stall = .seconds(60)
                let fetcher = sources.fetcher(limits)
                let report = sources.report
                let task = Task { try await fetcher.fetch(server.url(), report: report) }
                while sources.notes.progress.withLock({ $0.last?.0 }) != 1_500_000 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(server.sent <= Self.size * 105 / 100)
            }
        }
    }

    @Test func `A file that changes between its parts is fetched anew`() async throws {
        let changed = ServedFile(content: ServedFile.bytes(Self.size, seed: 2), tag: "\"two\"")
        try await FaultServer.with { [file] number, request, connection in
            if number == 0 {
                file.serve(request, connection, cut: 600_000)
            } else {
                changed.serve(request, connection)
            }
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == changed.content)
            }
        }
    }

    @Test func `A part that belongs to another file is not appended`() async throws {
        let changed = ServedFile(content: ServedFile.bytes(Self.size, seed: 2), tag: "\"two\"")
        try await FaultServer.with { [file] number, request, connection in
            if number == 0 { return file.serve(request, connection, cut: 600_000) }
            // As a server that does not know If-Range.
            var plain = request
            plain.headers["if-range"] = nil
            changed.serve(plain, connection)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == changed.content)
                #expect(server.requests.count == 3)
            }
        }
    }

    @Test func `A server that knows no ranges sends all of it again`() async throws {
        try await FaultServer.with { [file] number, request, connection in
            var plain = request
            plain.headers["range"] = nil
            file.serve(plain, connection, cut: number == 0 ? 600_000 : nil)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
            }
        }
    }

    @Test func `A part with other bytes is found by the checksum, and all is fetched anew`() async throws {
        try await FaultServer.with { [file] number, request, connection in
            var served = file
            if number == 1 { served.content[1_000_000] ^= 1 }
            served.serve(request, connection, cut: number == 0 ? 600_000 : nil)
        } _: { server in
            try await Sources.with { sources in
                let sound = Checksum.value(Checksum.Value(Digest(of: file.content)))
                let found = try await sources.fetch(server.url(), sound)
                #expect(try found.bytes == file.content)
            }
        }
    }

    @Test(arguments: [(404, "Not Found"), (403, "Forbidden"), (410, "Gone")])
    func `A refusal is told with its status and leaves nothing`(status: Int, name: String) async throws {
        try await FaultServer.with { _, _, connection in
            connection.head("\(status) \(name)", ["Content-Length: 9"])
            connection.body("a page, 1".utf8)
        } _: { server in
            try await Sources.with { sources in
                let error = try await sources.failure(server.url("/kernel?token=secret"))
                let shown = "http://127.0.0.1:\(server.port)/kernel?…"
                #expect(error.message == "\(shown) was answered with the status \(status) (\(name))")
                #expect(error.remedy != nil)
                #expect(server.requests.count == 1)
                #expect(sources.kept == [] && sources.index == [])
            }
        }
    }

    @Test func `A server that is overloaded is asked again`() async throws {
        try await FaultServer.with { [file] number, request, connection in
            let failures = ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"]
            if number < failures.count { return connection.head(failures[number], ["Content-Length: 0"]) }
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(sources.lines.count { $0.contains("trying again") } == 3)
            }
        }
    }

    @Test func `A server that stays overloaded ends it with its status`() async throws {
        try await FaultServer.with { _, _, connection in
            connection.head("503 Service Unavailable", ["Content-Length: 0"])
        } _: { server in
            try await Sources.with { sources in
                let error = try await sources.failure(server.url())
                #expect(error.message.hasSuffix("was answered with the status 503 (Service Unavailable)"))
                #expect(error.code == .unavailable)
                #expect(server.requests.count == Sources.limits.attempts)
            }
        }
    }

    @Test func `An address where nobody answers is told`() async throws {
        let port = try FaultServer.freePort()
        try await Sources.with { sources in
            let error = try await sources.failure(Source(.http, "http://127.0.0.1:\(port)/file"))
            #expect(error.message.hasPrefix("cannot fetch http://127.0.0.1:\(port)/file: "))
            #expect(sources.lines.count == Sources.limits.attempts - 1)
        }
    }

    @Test func `A file that is shorter than its server says is not taken`() async throws {
        try await FaultServer.with { [file] _, _, connection in
            connection.head("200 OK", ["Content-Length: \(Self.size + 1)"])
            connection.body(file.content)
        } _: { server in
            try await Sources.with { sources in
                let error = try await sources.failure(server.url())
                #expect(error.code == .unavailable)
                #expect(sources.kept == [] && sources.index == [])
            }
        }
    }

    @Test func `A server that does not say the length is believed when it closes`() async throws {
        try await FaultServer.with { [file] _, _, connection in
            connection.head("200 OK")
            connection.body(file.content)
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
            }
        }
    }

    @Test func `A body in chunks is taken when its last chunk is there`() async throws {
        try await FaultServer.with { [file] number, _, connection in
            connection.head("200 OK", ["Transfer-Encoding: chunked"])
            connection.chunk(file.content[..<1_000_000])
            guard number > 0 else { return }
            connection.chunk(file.content[1_000_000...])
            connection.lastChunk()
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url())
                #expect(try found.bytes == file.content)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func `Redirects are followed, but not for ever`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            if request.path == "/here" { return file.serve(request, connection) }
            let place = request.path == "/away" ? "/here" : "/loop"
            connection.head("302 Found", ["Location: \(place)", "Content-Length: 0"])
        } _: { server in
            try await Sources.with { sources in
                let found = try await sources.fetch(server.url("/away"))
                #expect(try found.bytes == file.content)
                let error = try await sources.failure(server.url("/loop"))
                #expect(error.message.contains("is answered with one redirect after the other"))
                #expect(server.requests.count { $0.path == "/loop" } == Sources.limits.redirects + 1)
            }
        }
    }

    @Test func `What comes over TLS is not redirected to what does not`() {
        let secure = CurlRequest(source: Source(.https, "https://a/"), headers: [], offset: 0, limits: Sources.limits)
        #expect(secure.configuration.contains("\nproto-redir = \"=https\"\n"))
        let plain = CurlRequest(source: Source(.http, "http://a/"), headers: [], offset: 0, limits: Sources.limits)
        #expect(plain.configuration.contains("\nproto-redir = \"=http,https\"\n"))
    }

    @Test func `A redirect to a file of the host is refused`() async throws {
        try await FaultServer.with { _, _, connection in
            connection.head("302 Found", ["Location: file:///etc/passwd", "Content-Length: 0"])
        } _: { server in
            try await Sources.with { sources in
                let error = try await sources.failure(server.url())
                #expect(error.message.contains("redirect to what is not fetched"))
                #expect(sources.kept == [])
            }
        }
    }

    @Test(arguments: [true, false])
    func `A body that is larger than what is wanted is cut off`(isTold: Bool) async throws {
        let piece = ServedFile.bytes(100_000)
        try await FaultServer.with { _, _, connection in
            connection.head("200 OK", isTold ? ["Content-Length: 1000000000000"] : [])
            while connection.body(piece) {}
        } _: { server in
            try await Sources.with { sources in
                var limits = Sources.limits
                limits.size = .mebi(4)
                let error = try await sources.failure(server.url(), limits: limits)
                #expect(error.message == "\(server.url().location) has more than 4.0 MiB")
                #expect(sources.kept == [] && sources.index == [])
            }
        }
    }

    @Test(arguments: ["sha256", "sha512", "sha3_256", "blake2b", "md5"])
    func `A wrong checksum is told with both values and leaves nothing`(name: String) async throws {
        let file = ServedFile(content: ServedFile.bytes(10_000))
        try await FaultServer.with { _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                let algorithm = try #require(HashAlgorithm(named: name))
                let wrong = String(repeating: "0", count: algorithm.length * 2)
                let error = try await sources.failure(server.url(), .text("\(name):\(wrong)"))
                #expect(error.message.hasPrefix("the \(algorithm.title) of \(server.url().location) is "))
                #expect(error.message.hasSuffix(", not \(wrong)"))
                expectNothing(in: sources)
                #expect(sources.lines.contains { $0.contains("warning: the checksum") } == algorithm.isBroken)
            }
        }
    }

    @Test func `Bytes that are pinned and kept need no request`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                var source = server.url()
                source.digest = Digest(of: file.content)
                let first = try await sources.fetch(source)
                #expect(!first.wasCached)
                source.location += "?elsewhere"
                let second = try await sources.fetch(source)
                #expect(second.wasCached && !second.revalidated && second.path == first.path)
                var sha512 = HashAlgorithm.sha512.start()
                file.content.withUnsafeBytes { sha512.update($0) }
                let other = try await sources.fetch(
                    server.url(), .text("sha512:" + Hexadecimal.string(sha512.finish())))
                #expect(other.wasCached)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `Bytes of the store that were damaged are fetched again`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                let first = try await sources.fetch(server.url())
                chmod(first.path.string, 0o644)
                try Scratch.write("x", first.path)
                let again = try await sources.fetch(server.url())
                #expect(!again.wasCached)
                #expect(try again.bytes == file.content)
            }
        }
    }

    @Test func `Offline there is what was fetched before, and the rest is told`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                let error = try await sources.failure(server.url(), offline: true)
                #expect(error.message == "\(server.url().location) is not in the store, and this build is offline")
                _ = try await sources.fetch(server.url())
                let again = try await sources.fetch(server.url(), offline: true)
                #expect(again.wasCached && !again.revalidated)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `Two who want the same at once fetch it once`() async throws {
        try await FaultServer.with { [file] _, request, connection in
            usleep(200_000)
            file.serve(request, connection)
        } _: { server in
            try await Sources.with { sources in
                var source = server.url()
                source.digest = Digest(of: file.content)
                async let first = sources.fetch(source)
                async let second = sources.fetch(source)
                let found = try await [first, second]
                #expect(found.count { $0.wasCached } == 1)
                #expect(server.requests.count == 1)
                #expect(sources.lines.count { $0.hasPrefix("waiting for another build") } == 1)
            }
        }
    }

    @Test func `A password in an address reaches the server and nobody else`() async throws {
        try await FaultServer.with { [file] number, request, connection in
            if number == 0 { return connection.head("500 Internal Server Error", ["Content-Length: 0"]) }
            file.serve(request, connection, cut: number == 1 ? 1000 : nil, ending: .stalled)
        } _: { server in
            try await Sources.with { sources in
                let password = "hunter2hunter2"
                let fetcher = sources.fetcher()
                let (source, report) = (server.url(user: "me:\(password)@"), sources.report)
                let task = Task { try await fetcher.fetch(source, report: report) }
                while server.requests.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(commandLines(with: "__contain") > 0)
                #expect(commandLines(with: password) == 0)
                _ = try await task.value
                #expect(server.requests[2].headers["authorization"]?.hasPrefix("Basic ") == true)
                let record = sources.folder.appending("index").appending(try #require(sources.index.first))
                #expect(try Scratch.read(record).contains("\"http://127.0.0.1:\(server.port)/file\""))
                #expect(!sources.lines.isEmpty && !sources.lines.contains { $0.contains(password) })
            }
        }
    }

    /// How many processes have the text in their arguments.
    private func commandLines(with text: String) -> Int {
        Scratch.names("/proc").count { name in
            guard Int(name) != nil, let bytes = try? RepositoryFiles.bytes(FilePath("/proc/\(name)/cmdline")) else {
                return false
            }
            return String(decoding: bytes, as: UTF8.self).contains(text)
        }
    }

    @Test func `A quotation mark in an address is no end of it`() {
        let source = Source(.http, #"http://a/x"y\z"#)
        let request = CurlRequest(source: source, headers: [], offset: 0, limits: Sources.limits)
        #expect(request.configuration.contains(#"url = "http://a/x\"y\\z""# + "\n"))
    }
}
