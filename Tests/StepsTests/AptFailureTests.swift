import Testing

@testable import Steps

@Suite struct AptFailureTests {
    private func explain(_ lines: [String], offline: Bool = false) -> (message: String, remedy: String?)? {
        let failure = AptFailure()
        for line in lines { failure.see(line) }
        return failure.explanation(offline: offline)
    }

    @Test func `Packages that do not exist are named`() {
        let found = explain([
            "I: installing remaining packages inside the chroot...", "E: Unable to locate package nginz",
            "E: Package 'foo' has no installation candidate", "E: setup failed: E: apt-get failed",
            "E: mmdebstrap failed to run",
        ])
        #expect(found?.message == "the suites have no package 'nginz', 'foo'")
        #expect(found?.remedy == "check the names in the definition's packages, and its components")
    }

    @Test func `Packages that exclude each other are told with what they say of it`() {
        let found = explain([
            "The following packages have unmet dependencies:",
            " exim4-config : Conflicts: postfix but 3.10.13-0+deb13u1 is to be installed",
            " postfix : Conflicts: mail-transport-agent",
            "E: Unable to correct problems, you have held broken packages.",
        ])
        #expect(
            found?.message == "exim4-config Conflicts: postfix but 3.10.13-0+deb13u1 is to be installed; "
                + "postfix Conflicts: mail-transport-agent")
        #expect(found?.remedy?.contains("exclude each other") == true)
    }

    @Test func `A wrong keyring is told by the signature that it does not verify`() {
        let found = explain([
            "Err:1 http://deb.debian.org/debian trixie InRelease",
            "W: GPG error: http://x trixie InRelease: NO_PUBKEY 1",
            "E: The repository 'http://x trixie InRelease' is not signed.",
        ])
        #expect(found?.message == "http://x trixie InRelease: NO_PUBKEY 1")
        #expect(found?.remedy?.hasPrefix("give the keyring") == true)
    }

    @Test func `A mirror that does not answer is told with a word about the network`() {
        let found = explain(["E: Failed to fetch http://x/InRelease  Could not connect", "E: Some index files failed"])
        #expect(found?.message == "Failed to fetch http://x/InRelease  Could not connect")
        #expect(found?.remedy == "check the mirror and the network, or use --offline with what is cached")
    }

    @Test func `Offline, a package that cannot be fetched is one that is not cached`() {
        let found = explain(["E: Failed to fetch http://x/a.deb  Temporary failure resolving 'x'"], offline: true)
        #expect(found?.message.hasPrefix("a package is not in the cache: ") == true)
        #expect(found?.remedy == "run it once without --offline")
    }

    /// Before the plan there is no log to see.
    @Test func `For another error whoever ran apt knows what to do`() {
        let found = explain(["E: The value 'x' is invalid for APT::Default-Release", "E: mmdebstrap failed to run"])
        #expect(found?.message == "The value 'x' is invalid for APT::Default-Release")
        #expect(found?.remedy == nil)
    }

    @Test func `What mmdebstrap says of its own end explains nothing`() {
        #expect(explain(["E: mmdebstrap failed to run", "E: setup failed: E: x"]) == nil)
    }
}
