import Model
import Testing

@testable import Dialects

@Suite struct CloudConfigCheckTests {
    private func warnings(_ text: String) -> [Diagnostic] {
        CloudConfigCheck.warnings(Array(text.utf8), file: "user-data")
    }

    @Test(arguments: [
        "#cloud-config\npackages: [vim]\n", "#cloud-config\n", "#!/bin/sh\n\tkey: [\n",
        "#cloud-config-archive\n- content: x\n", "",
    ])
    func `What cloud-init takes has no warnings`(_ text: String) {
        #expect(warnings(text) == [])
    }

    @Test func `Broken YAML is a warning at its line`() throws {
        let found = warnings("#cloud-config\nruncmd:\n  - [ echo\nusers: }\n")
        let first = try #require(found.first)
        #expect(first.severity == .warning)
        #expect(first.line > 1)
    }

    @Test func `A list is no cloud-config`() {
        #expect(
            warnings("#cloud-config\n- a\n").map(\.message) == [
                "cloud-init takes a map of keys here, and ignores anything else"
            ])
    }

    @Test func `Meta-data is looked at without a header`() {
        #expect(CloudConfigCheck.mapWarnings(Array("instance-id: one\n".utf8), file: "m") == [])
        #expect(CloudConfigCheck.mapWarnings(Array("just words\n".utf8), file: "m").count == 1)
    }
}
