import Model

/// Which requests of a guest are served, and from where.
struct ProxyRules: Sendable {
    /// In the order in which they are tried.
    var mirrors: [MirrorRule] = []
    /// Hosts that are asked by https whatever the guest says.
    var secureHosts: Set<String> = []
    /// Whether this machine reaches the world through a proxy of its own, which then resolves names.
    var usesProxy = false
    /// By default those of the world, and of no interface of this machine.
    var resolve: @Sendable (String) -> [NetworkAddress] = { NetworkAddress.resolve($0) }
    var own: @Sendable () -> Set<NetworkAddress> = { NetworkAddress.own() }

    /// Why a request is not served.
    enum Refusal: Error, Hashable {
        /// The host's services and its neighbours are none of the guest's business.
        case notPublic(host: String)
        case unknownHost(String)

        var text: String {
            switch self {
            case .notPublic(let host):
                "\(host) is an address of this machine or its network, which guests do not reach; "
                    + "make it the mirror of this machine's apt, or use network: open"
            case .unknownHost(let host): "the host \(host) has no address"
            }
        }
    }

    /// The URL to ask in place of the guest's.
    func target(of url: ProxyURL) -> ProxyURL {
        let mapped = mirrors.lazy.compactMap { $0.apply(to: url) }.first ?? url
        return secureHosts.contains(mapped.host) ? mapped.upgraded : mapped
    }

    /// The address at which a URL is asked; nil leaves that to the proxy of this machine. It is looked up once and then
    /// used, so that a name which changes its mind leads nowhere else.
    func address(of url: ProxyURL) throws(Refusal) -> NetworkAddress? {
        let isMirror = mirrors.contains { $0.covers(url) }
        let found = resolve(url.host)
        if found.isEmpty {
            guard usesProxy, url.host.contains("."), !url.host.hasSuffix(".localhost"), !url.host.hasPrefix("[") else {
                throw .unknownHost(url.host)
            }
            return nil
        }
        let own = isMirror ? [] : own()
        // IPv4 first: it is what more machines have a way to.
        let allowed = found.filter { isMirror || $0.isPublic && !own.contains($0) }
        guard let address = allowed.first(where: { $0.bytes.count == 4 }) ?? allowed.first else {
            throw .notPublic(host: url.host)
        }
        return address
    }
}
