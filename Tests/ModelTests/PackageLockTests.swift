import Model
import Testing

@Suite struct PackageLockTests {
    private static func package(_ name: String, _ version: String, bytes: String = "") -> LockedPackage {
        LockedPackage(
            name: name, version: version, architecture: "amd64",
            digest: Digest(of: Array((name + version + bytes).utf8)),
            size: 10, archive: "main", file: "pool/main/\(name)_\(version)_amd64.deb")
    }

    private static func lock(_ packages: [LockedPackage]) -> PackageLock {
        PackageLock(
            distribution: "debian", suite: "trixie", architecture: .amd64, components: ["main"], requested: ["less"],
            releases: [
                SuiteRelease(archive: "main", suite: "trixie", inRelease: Digest(of: []), date: 5),
                SuiteRelease(archive: "security", suite: "trixie-security", inRelease: Digest(of: [1]), date: 7),
            ], packages: packages)
    }

    private static let sample = lock([package("less", "668-1"), package("libc6", "2:2.41-12+deb13u4~rc1")])

    private static func read(_ text: String) throws -> PackageLock {
        try PackageLock.read(Array(text.utf8), name: "x.lock")
    }

    @Test func `A lock is read as it was written, with a package on each line`() throws {
        let text = try Self.sample.text()
        #expect(try Self.read(text) == Self.sample)
        #expect(text.split(separator: "\n").filter { $0.contains(".deb") }.count == 2)
        #expect(Self.sample.date == 7)
    }

    @Test(arguments: [
        ("\"less\",\"size\"", "\"../x\",\"size\"", "malformed"),
        ("pool/main/less", "pool/../../etc/less", "malformed"),
        ("pool/main/less", "/pool/main/less", "malformed"),
        ("\"668-1\"", "\"$(id)\"", "malformed"),
        ("\"668-1\"", "\"668 1\"", "malformed"),
        ("\"less\",\"size\"", "\"libc6\",\"size\"", "twice"),
        ("\"format\": 1", "\"format\": 2", "format is 2"),
        ("\"trixie\",", "\"--help\",", "cannot be"),
        ("\"amd64\",\n", "\"vax\",\n", "'architecture'"),
        ("\"size\":10", "\"size\":true", "'packages' 1: size"),
        ("\"size\":10", "\"size\":18446744073709551615", "malformed"),
        ("\"date\":5", "\"date\":18446744073709551615", "date"),
        ("\"size\":10,", "", "'size' is missing in 'packages' 1"),
        ("{", "", "not JSON"),
    ])
    func `A lock that cannot be is refused with the reason`(part: String, other: String, reason: String) throws {
        let text = try Self.sample.text()
        let parts = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        let error = try #require(throws: FactoryError.self) { try Self.read(parts[0] + other + parts[1]) }
        #expect(error.message.hasPrefix("x.lock: "))
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(error.remedy?.contains("--update-lock") ?? false)
    }

    @Test func `A lock without packages is refused`() throws {
        let text = try Self.lock([]).text()
        let error = try #require(throws: FactoryError.self) { try Self.read(text) }
        #expect(error.message == "x.lock: it has no packages or no releases")
    }

    @Test func `A mutated lock is read or refused`() throws {
        let original = Array(try Self.sample.text().utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let at = bytes.indices.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: at)
                default: bytes.insert(bytes[at], at: at)
                }
            }
            do { _ = try PackageLock.read(bytes, name: "x.lock") } catch is FactoryError {}
        }
    }

    @Test func `The changes from one lock to another are told`() {
        let old = Self.lock([
            Self.package("a", "1.0"), Self.package("b", "1.0"), Self.package("c", "2.0"), Self.package("d", "1"),
        ])
        let new = Self.lock([
            Self.package("a", "1.0"), Self.package("b", "1.10"), Self.package("c", "2.0~rc1"),
            Self.package("d", "1", bytes: "x"), Self.package("e", "3"),
        ])
        let changes = LockChanges(from: old, to: new).changes
        #expect(changes.map(\.package) == ["b", "c", "d", "e"])
        #expect(
            changes.map(\.change) == [
                .upgraded("1.0", "1.10"), .downgraded("2.0", "2.0~rc1"), .rebuilt("1"), .added("3"),
            ])
        #expect(LockChanges(from: new, to: Self.lock([])).changes.map(\.change).contains(.removed("3")))
        #expect(LockChanges(from: nil, to: old).changes.count == 4)
    }

    /// From deb-version(7) and the tests of dpkg's documentation.
    @Test(arguments: [
        ("1.0", "1.1"), ("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.0~~", "1.0~"), ("1.0", "1.0a"), ("1.0a", "1.0+b"),
        ("1.0-1", "1.0-2"), ("1.0-9", "1:0.1"), ("1.0-1", "1.0-1+b1"), ("1.0", "1.0-1"), ("1.2-3-4", "1.2-4-1"),
        ("1.0-1~deb12u1", "1.0-1"), ("2.41-12", "2.41-12+deb13u4"), ("0:5", "1:0"), ("1.00001", "1.2"),
    ])
    func `Versions have the order that dpkg gives them`(lower: String, higher: String) {
        #expect(DebianVersion(lower) < DebianVersion(higher))
        #expect(!(DebianVersion(higher) < DebianVersion(lower)))
    }

    @Test(arguments: [("1.0", "1.0-0"), ("0:1.0", "1.0"), ("1.01", "1.1"), ("007", "7")])
    func `Equal versions may be written in several ways`(one: String, other: String) {
        #expect(DebianVersion(one) == DebianVersion(other))
    }
}
