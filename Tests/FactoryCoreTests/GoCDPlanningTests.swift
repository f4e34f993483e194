import Model
import SystemPackage
import TestSupport
import Testing

@testable import FactoryCore

@Suite struct GoCDPlanningTests {
    private func request(_ paths: [FilePath], group: String = "images") -> GoCDRequest {
        GoCDRequest(
            definitions: paths, repository: "https://git.example.org/images.git", branch: "work", group: group,
            timer: nil, resources: [], target: nil)
    }

    private func architecture(_ name: String) -> FilePath {
        RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(name).architecture.yml")
    }

    @Test(arguments: ["versions", "two-images"])
    func `Each image of an architecture file is a pipeline that makes it`(name: String) throws {
        let text = try GoCDPlanning.text(request([architecture(name)]))
        #expect(try text == Golden.expected(name + ".gocd.yml", for: text))
    }

    @Test func `Definitions and architecture files go together`() throws {
        let text = try GoCDPlanning.text(
            request([RepositoryFiles.root.appending("examples/debian-13.yaml"), architecture("two-images")]))
        #expect(text.contains("  debian-13:\n"))
        #expect(text.contains("- gen-vm-image\n"))
    }

    @Test func `What would be no pipeline of its own is refused`() throws {
        for (paths, group, message) in [
            ([architecture("site")], "images", "'été' is no name for a pipeline"),
            ([architecture("two-images"), architecture("two-images")], "images", "two images are called "),
            ([architecture("two-images")], "no blanks", "the group 'no blanks' is none for GoCD"),
            ([FilePath("/none.yml")], "images", "cannot read /none.yml: "),
        ] {
            let error = #expect(throws: FactoryError.self) { try GoCDPlanning.text(request(paths, group: group)) }
            #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        }
    }
}
