import Synchronization
import Model

/// What went through a guest's network.
package struct GuestTraffic: Hashable, Sendable, Codable {
    package var requests = 0
    /// Bytes of content that were downloaded for the guest.
    package var downloaded: UInt64 = 0
    /// Bytes of content that it was given from the cache.
    package var cached: UInt64 = 0
    /// Of what was downloaded, the bytes of packages.
    package var packages: UInt64 = 0
    /// Destinations that it did not reach: `port 21`, `port 123 (udp) of 192.0.2.1`.
    package var refused: [String] = []
    /// Hosts that it wanted to reach by https.
    package var secureHosts: [String] = []

    package init() {}

    /// One line for a log.
    package var description: String {
        "the guest's network: \(requests) requests, \(ByteCount(downloaded)) downloaded "
            + "(\(ByteCount(packages)) of packages), \(ByteCount(cached)) from the cache"
    }
}

/// Counts traffic, from many threads.
final class TrafficCounter: Sendable {
    private static let listLimit = 100
    private let value = Mutex(GuestTraffic())

    var traffic: GuestTraffic { value.withLock { $0 } }

    func count(_ change: (inout GuestTraffic) -> Void) { value.withLock { change(&$0) } }

    /// Whether this host is a new one in the list.
    func addSecureHost(_ host: String) -> Bool {
        value.withLock { value in
            guard !value.secureHosts.contains(host), value.secureHosts.count < Self.listLimit else { return false }
            value.secureHosts.append(host)
            return true
        }
    }

    func addRefusal(_ destination: String) {
        value.withLock { value in
            guard !value.refused.contains(destination), value.refused.count < Self.listLimit else { return }
            value.refused.append(destination)
        }
    }
}
