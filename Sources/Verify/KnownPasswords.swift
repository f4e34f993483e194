import CVerify

/// Passwords that image builders and distributions have used, and that attackers therefore try.
enum KnownPasswords {
    private static let words = [
        "", "ubuntu", "debian", "centos", "fedora", "opensuse", "root", "toor", "password", "passw0rd", "Passw0rd",
        "ozrootpw", "p@55word!", "packer", "vagrant", "builder", "admin", "changeme", "secret", "test", "linux",
        "123456", "12345678", "qwerty", "letmein", "live", "user", "cloud", "redhat", "default",
    ]

    /// Whether the hash is that of a known password or of the account's own name. Hashes that are made to be slow are
    /// not tried: they would take the time of the whole check.
    static func has(_ hash: String, of user: String) -> Bool {
        guard isCheap(hash) else { return false }
        return ([user] + words).contains { cverify_password_matches($0, hash) == 1 }
    }

    private static func isCheap(_ hash: String) -> Bool {
        guard hash.utf8.count < 512, !hash.utf8.contains(0) else { return false }
        let parts = hash.split(separator: "$").map(String.init)
        guard hash.hasPrefix("$"), let kind = parts.first, parts.count > 1 else { return hash.utf8.count == 13 }
        switch kind {
        case "1": return true
        case "5", "6": return !parts[1].hasPrefix("rounds=") || (Int(parts[1].dropFirst(7)) ?? .max) <= 20_000
        case "y": return ["j9T", "j75", "j85"].contains(parts[1])
        case "2a", "2b", "2y": return (Int(parts[1]) ?? .max) <= 8
        default: return false
        }
    }
}
