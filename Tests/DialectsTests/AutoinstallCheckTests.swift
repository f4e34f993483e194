import Dialects
import Model
import Testing

@Suite struct AutoinstallCheckTests {
    private func problems(_ text: String) -> [String] {
        AutoinstallCheck.problems(Array(text.utf8), file: "/d/user-data").map(\.description)
    }

    @Test func `Sound answers have no problems`() {
        #expect(problems("#cloud-config\nautoinstall:\n  version: 1\n  storage: {layout: {name: direct}}\n") == [])
    }

    @Test(arguments: [
        ("autoinstall: {version: 1}\n", "1:1: error: the first line has to be '#cloud-config'"),
        ("#cloud-config\n- a\n", "2:1: error: the file has to be a map with the key 'autoinstall'"),
        ("#cloud-config\nusers: []\n", "2:1: error: the key 'autoinstall' is missing"),
        ("#cloud-config\nautoinstall:\n  locale: C\n", "3:3: error: 'autoinstall' has to be a map with 'version: 1'"),
        ("#cloud-config\nautoinstall:\n  version: 2\n", "3:12: error: the version of 'autoinstall' has to be 1"),
        ("#cloud-config\nautoinstall: {version: 1\n", ": error: "),
    ])
    func `A mistake is told with its line`(text: String, said: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.contains(said) == true, "\(found)")
    }
}
