import Model

extension Source {
    /// For people and logs: without user, password and query, which may hold secrets.
    package var shown: String { Self.shown(location) }

    static func shown(_ location: String) -> String {
        guard let start = location.firstRange(of: "://")?.upperBound else { return location }
        let rest = location[start...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let path = rest[authority.endIndex...]
        let plain = path.prefix { $0 != "?" && $0 != "#" }
        return location[..<start] + host + plain + (path[plain.endIndex...].first == "?" ? "?…" : "")
    }

    /// The part of a URL that may hold a password, as `user:password`; nil where there is none.
    var userInformation: String? {
        guard scheme != .file, let start = location.firstRange(of: "://")?.upperBound else { return nil }
        let authority = location[start...].prefix { !"/?#".contains($0) }
        return authority.lastIndex(of: "@").map { String(authority[..<$0]) }
    }

    /// What must not be shown: the password, and the query as a whole.
    var secrets: [String] {
        var found: [String] = []
        if let user = userInformation {
            found += [user] + user.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)
        }
        if scheme != .file, let query = location.firstIndex(of: "?") {
            found.append(String(location[location.index(after: query)...]))
        }
        return found.filter { $0.utf8.count >= 4 }
    }

    /// The path of a URL, without its query, or of a file.
    var path: String {
        guard scheme != .file, let start = location.firstRange(of: "://")?.upperBound else { return location }
        return String(location[start...].drop { !"/?#".contains($0) }.prefix { $0 != "?" && $0 != "#" })
    }
}
