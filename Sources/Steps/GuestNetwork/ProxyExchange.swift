import DiskFormats
import Glibc
import Model
import SystemPackage

/// A request of a guest and its answer.
struct ProxyExchange {
    private static let redirectLimit = 5

    let stream: GuestStream
    let proxy: GuestProxy

    private var cache: GuestCache { proxy.settings.cache }

    /// What is asked for, and of whom.
    private struct Question {
        var request: HTTPRequest
        /// As the cache knows it.
        var url: ProxyURL
        var kind: ContentKind
        var isHead: Bool { request.method == "HEAD" }
        /// A part of the content; parts are kept by nobody.
        var range: String? { request.fields["range"] }
    }

    /// Answers a request. Returns whether the connection may be used for another one. Throws where the guest is gone, or
    /// where the answer could not be completed.
    func serve(_ request: HTTPRequest) throws -> Bool {
        guard request.method == "GET" || request.method == "HEAD" else {
            return try refuse(501, "only GET and HEAD are served")
        }
        guard !request.hasBody else { return try refuse(413, "requests with content are not served") }
        guard let wanted = ProxyURL(target: request.target, host: request.fields["host"]) else {
            return try refuse(400, "this is no URL that is served")
        }
        let url = proxy.settings.rules.target(of: wanted)
        let question = Question(request: request, url: url, kind: ContentKind(url))
        let known = cache.entry(of: url)
        if let known, question.kind.isFixed || proxy.settings.isOffline, let file = cache.open(known, of: url) {
            defer { try? file.close() }
            return try answer(question, with: known, file)
        }
        guard !proxy.settings.isOffline else {
            proxy.tell("offline: the cache does not have \(url)", false)
            return try refuse(504, "offline, and the cache does not have it", of: question)
        }
        guard proxy.counter.traffic.downloaded < proxy.settings.budget.bytes else {
            proxy.tell("the guest has downloaded more than \(proxy.settings.budget); no more is fetched", true)
            return try refuse(503, "too much was downloaded", of: question)
        }
        return try fetch(question, known: known)
    }

    /// Sends an answer of our own. Returns whether the connection stays.
    @discardableResult
    func refuse(_ status: Int, _ reason: String) throws -> Bool { try refuse(status, reason, of: nil) }

    @discardableResult
    private func refuse(_ status: Int, _ reason: String, of question: Question?) throws -> Bool {
        let text = Array("image-factory: \(reason)\n".utf8)
        let stays = question?.request.keepsConnection ?? false
        let fields = HTTPFields([
            ("content-type", "text/plain; charset=utf-8"), ("content-length", "\(text.count)"),
            ("connection", stays ? "keep-alive" : "close"),
        ])
        let head = HTTPResponse(status: status, reason: "refused", fields: fields)
        try stream.send(head.bytes + (question?.isHead == true ? [] : text))
        return stays
    }

    // From the cache.

    private func answer(_ question: Question, with entry: GuestCache.Entry, _ file: FileDescriptor) throws -> Bool {
        var fields = HTTPFields([("connection", question.request.keepsConnection ? "keep-alive" : "close")])
        for (name, value) in [("etag", entry.etag), ("last-modified", entry.lastModified)] {
            if let value { fields.append(name, value) }
        }
        if isCurrent(entry.etag, entry.lastModified, for: question.request) {
            try stream.send(HTTPResponse(status: 304, reason: "Not Modified", fields: fields).bytes)
            return question.request.keepsConnection
        }
        var part: Range<UInt64> = 0..<entry.size
        let wanted = question.range.flatMap { ByteRange.parse($0, size: entry.size) }
        if let wanted {
            part = wanted
            fields.append("content-range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(entry.size)")
        }
        fields.append("accept-ranges", "bytes")
        fields.append("content-type", entry.type ?? "application/octet-stream")
        fields.append("content-length", "\(part.upperBound - part.lowerBound)")
        let head = HTTPResponse(
            status: wanted == nil ? 200 : 206, reason: wanted == nil ? "OK" : "Partial Content", fields: fields)
        try stream.send(head.bytes)
        if !question.isHead { try send(part, of: file) }
        return question.request.keepsConnection
    }

    private func send(_ part: Range<UInt64>, of file: FileDescriptor) throws {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var at = part.lowerBound
        while at < part.upperBound {
            let wish = Int(min(UInt64(buffer.count), part.upperBound - at))
            let count = try buffer.withUnsafeMutableBytes {
                try file.read(fromAbsoluteOffset: Int64(at), into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wish]))
            }
            guard count > 0 else { throw Errno.ioError }
            try buffer.withUnsafeBytes { try stream.send(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            proxy.counter.count { $0.cached &+= UInt64(count) }
            at += UInt64(count)
        }
    }

    /// Whether the guest has this already: by the one sign that it sends.
    private func isCurrent(_ etag: String?, _ lastModified: String?, for request: HTTPRequest) -> Bool {
        if let sign = request.fields["if-none-match"] { return sign == etag }
        if let sign = request.fields["if-modified-since"] { return sign == lastModified }
        return false
    }

    // From the server.

    private func fetch(_ question: Question, known: GuestCache.Entry?) throws -> Bool {
        var wish = UpstreamFetch.Wish(url: question.url, isHead: question.isHead)
        wish.fields = [("Accept", question.request.fields["accept"] ?? "*/*")]
        var held: FileDescriptor?
        defer { try? held?.close() }
        if let range = question.range {
            wish.fields.append(("Range", range))
        } else if !question.isHead, let known, let file = cache.open(known, of: question.url) {
            held = file
            if let etag = known.etag { wish.fields.append(("If-None-Match", etag)) }
            if let date = known.lastModified { wish.fields.append(("If-Modified-Since", date)) }
        }
        for _ in 0...Self.redirectLimit {
            do throws(ProxyRules.Refusal) {
                wish.address = try proxy.settings.rules.address(of: wish.url)
            } catch {
                proxy.tell("the guest asked for \(wish.url): \(error.text)", true)
                return try refuse(error == .unknownHost(wish.url.host) ? 502 : 403, error.text, of: question)
            }
            let next = try proxy.withFetch(wish) { fetch in
                try relay(question, fetch, wish.url, known: held == nil ? nil : known, held)
            }
            switch next {
            case .done(let stays): return stays
            case .redirect(let url): wish.url = proxy.settings.rules.target(of: url)
            }
        }
        return try refuse(502, "the server redirects without end", of: question)
    }

    private enum Next {
        case done(stays: Bool)
        case redirect(ProxyURL)
    }

    private func relay(
        _ question: Question, _ fetch: UpstreamFetch, _ url: ProxyURL, known: GuestCache.Entry?, _ held: FileDescriptor?
    ) throws -> Next {
        guard let head = fetch.head() else {
            let reason = fetch.failure ?? "it gave no answer"
            proxy.tell("cannot fetch \(url): \(reason)", false)
            return .done(stays: try refuse(502, "cannot fetch it: \(reason)", of: question))
        }
        if head.status == 304, let known, let held {
            return .done(stays: try answer(question, with: known, held))
        }
        if [301, 302, 303, 307, 308].contains(head.status), let place = head.fields["location"],
            let next = Self.redirect(place, from: url)
        {
            return .redirect(next)
        }
        if head.status == 200, !question.isHead, question.range == nil,
            isCurrent(head.fields["etag"], head.fields["last-modified"], for: question.request)
        {
            var fields = HTTPFields([("connection", "close")])
            if let etag = head.fields["etag"] { fields.append("etag", etag) }
            try stream.send(HTTPResponse(status: 304, reason: "Not Modified", fields: fields).bytes)
            return .done(stays: false)
        }
        return .done(stays: try pass(question, fetch, head))
    }

    /// Where a `Location` leads; relative ones are within the server.
    static func redirect(_ place: String, from url: ProxyURL) -> ProxyURL? {
        if place.hasPrefix("//") { return ProxyURL((url.isSecure ? "https:" : "http:") + place) }
        if place.hasPrefix("/") { return ProxyURL(String(url.description.dropLast(url.path.utf8.count)) + place) }
        return ProxyURL(place)
    }

    /// Passes the server's answer on while it comes, and keeps it if it is whole.
    private func pass(_ question: Question, _ fetch: UpstreamFetch, _ head: HTTPResponse) throws -> Bool {
        // Without a length the end of the connection is the end of the content.
        let hasEnd = question.isHead || head.length != nil || [204, 304].contains(head.status)
        let stays = question.request.keepsConnection && hasEnd
        var fields = HTTPFields([("connection", stays ? "keep-alive" : "close")])
        for name in [
            "content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified", "date",
        ] {
            if let value = head.fields[name] { fields.append(name, value) }
        }
        try stream.send(HTTPResponse(status: head.status, reason: head.reason, fields: fields).bytes)
        if question.isHead { return stays }
        let total = try fetch.forEachChunk { chunk in
            proxy.counter.count { traffic in
                traffic.downloaded &+= UInt64(chunk.count)
                if question.kind.isPackage { traffic.packages &+= UInt64(chunk.count) }
            }
            try stream.send(chunk)
        }
        if let failure = fetch.failure {
            proxy.tell("fetching \(question.url) broke off: \(failure)", false)
            // The guest must not take a part for the whole.
            throw Errno.connectionReset
        }
        if head.status == 200, question.range == nil, total > 0 { keep(question, fetch, head, size: total) }
        return stays
    }

    private func keep(_ question: Question, _ fetch: UpstreamFetch, _ head: HTTPResponse, size: UInt64) {
        guard let hex = try? SparseDigest.sha256(of: fetch.body), let digest = Digest(hex) else { return }
        if question.kind.isPackage, let known = cache.entry(of: question.url), known.digest != digest {
            return proxy.tell(
                "\(question.url) is not the package that was there under this name before: it is not kept", true)
        }
        let entry = GuestCache.Entry(
            url: question.url.description, digest: digest, size: size, type: head.fields["content-type"],
            etag: head.fields["etag"], lastModified: head.fields["last-modified"])
        do {
            try cache.keep(fetch.body, entry, of: question.url)
        } catch {
            // The guest has it; only the next one will download it again.
            proxy.tell("cannot keep \(question.url) in the cache: \(error)", false)
        }
    }
}

/// The one form of a Range field that is served from the cache (RFC 9110, section 14): a single range of bytes.
enum ByteRange {
    /// Nil for what is not of this form, or not in the content: then all of it is sent.
    static func parse(_ text: String, size: UInt64) -> Range<UInt64>? {
        guard text.hasPrefix("bytes=") else { return nil }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        if ends[0].isEmpty {
            guard let count = UInt64(ends[1]), count > 0, size > 0 else { return nil }
            return (size - min(count, size))..<size
        }
        guard let first = UInt64(ends[0]), first < size else { return nil }
        if ends[1].isEmpty { return first..<size }
        guard let last = UInt64(ends[1]), last >= first else { return nil }
        return first..<(min(last, size - 1) + 1)
    }
}
