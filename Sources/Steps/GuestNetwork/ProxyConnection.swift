import Model

/// One connection of a guest, from the relay's line to its end. Blocks its thread.
struct ProxyConnection {
    private static let preambleLimit = 128
    private static let helloLimit = 16 << 10
    /// From the first byte of a head to its last.
    private static let headTime = Duration.seconds(30)
    /// Between two requests.
    private static let idleTime = Duration.seconds(180)

    let stream: GuestStream
    let proxy: GuestProxy

    func run() {
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now + Self.headTime
        while !bytes.contains(0x0a) {
            let more = stream.receive(before: deadline)
            bytes += more
            if more.isEmpty || bytes.count > Self.preambleLimit + (8 << 10) { return }
        }
        guard let end = bytes.firstIndex(of: 0x0a), end <= Self.preambleLimit else { return }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ").map(String.init)
        guard words.count == 4, let port = UInt16(words[3]) else { return }
        let rest = Array(bytes[(end + 1)...])
        switch (words[0], port) {
        case ("refused", _): proxy.counter.addRefusal(Self.destination(words[1], words[2], port))
        case ("to", 443): refuseTLS(rest, address: words[2])
        case ("to", _): serveRequests(rest)
        default: return
        }
    }

    private static func destination(_ kind: String, _ address: String, _ port: UInt16) -> String {
        let port = "port \(port)" + (kind == "udp" ? " (udp)" : "")
        // User networking took 10.0.2.2, which is what all names are, to here.
        return address == "127.0.0.1" ? port : "\(port) of \(address)"
    }

    /// Reads whom the guest wants to reach by TLS, and ends the connection: what is encrypted cannot be relayed to where
    /// it belongs, since all names are one address.
    private func refuseTLS(_ first: [UInt8], address: String) {
        var bytes = first
        let deadline = ContinuousClock.now + .seconds(10)
        while ClientHello.serverName(in: bytes) == nil, bytes.count < Self.helloLimit {
            let more = stream.receive(before: deadline)
            if more.isEmpty { break }
            bytes += more
        }
        tellSecure(ClientHello.serverName(in: bytes) ?? (address == "127.0.0.1" ? "a host without a name" : address))
    }

    private func tellSecure(_ host: String) {
        guard proxy.counter.addSecureHost(host) else { return }
        proxy.tell(
            "the guest asked for https://\(host): only http can be cached and reached; "
                + "use http mirrors or network: open", true)
    }

    private func serveRequests(_ first: [UInt8]) {
        var bytes = first
        while !proxy.isStopping {
            guard let head = receiveHead(&bytes) else { return }
            let exchange = ProxyExchange(stream: stream, proxy: proxy)
            // An error means that the guest is gone, or that an answer broke off: the end of the connection says so.
            guard let stays = try? answer(head, by: exchange), stays else { return }
        }
    }

    private func answer(_ head: [UInt8], by exchange: ProxyExchange) throws -> Bool {
        let request: HTTPRequest
        do {
            request = try HTTPParser.request(head[...])
        } catch {
            return try exchange.refuse(400, "this is no request of HTTP/1.1")
        }
        proxy.counter.count { $0.requests &+= 1 }
        if request.method == "CONNECT" {
            tellSecure(String(request.target.prefix { $0 != ":" }))
            return try exchange.refuse(403, "https is not relayed")
        }
        return try exchange.serve(request)
    }

    /// The next head; what came behind it stays in `bytes`. Nil at the end of the connection.
    private func receiveHead(_ bytes: inout [UInt8]) -> [UInt8]? {
        var deadline = ContinuousClock.now + (bytes.isEmpty ? Self.idleTime : Self.headTime)
        while true {
            if let end = HTTPParser.headEnd(in: bytes[...]) {
                defer { bytes.removeFirst(end) }
                return Array(bytes[..<end])
            }
            guard bytes.count <= HTTPParser.limit else {
                _ = try? ProxyExchange(stream: stream, proxy: proxy).refuse(431, "the head of the request is too large")
                return nil
            }
            let wasEmpty = bytes.isEmpty
            let more = stream.receive(before: deadline)
            if more.isEmpty { return nil }
            bytes += more
            if wasEmpty { deadline = ContinuousClock.now + Self.headTime }
        }
    }
}
