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

    private static func architecture(_ name: String) -> FilePath {
        RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/\(name).architecture.yml")
    }

    @Test(arguments: ["versions", "two-images"])
    func `Each image of an architecture file is a pipeline that makes it`(name: String) throws {
        // Where the checkout is, is not to matter.
        let text = try GoCDPlanning.text(request([Self.architecture(name)])).text
            .replacing("\(RepositoryFiles.root)/", with: "")
        #expect(try text == Golden.expected(name + ".gocd.yml", for: text))
    }

    @Test func `Definitions and architecture files go together`() throws {
        let text = try GoCDPlanning.text(
            request([RepositoryFiles.root.appending("examples/debian-13.yaml"), Self.architecture("two-images")])
        ).text
        #expect(text.contains("  debian-13:\n"))
        #expect(text.contains("- gen-vm-image\n"))
    }

    @Test func `The file of an image is what its pipeline gives gen-vm-image, with its signature and all`() throws {
        let path = Self.architecture("many")
        let text = try GoCDPlanning.text(request([path])).text
        let words = ["as", "gen-vm-image", "multiple", path.string, "--image=listed", "--output-directory", "out"]
        #expect(text.contains(words.map { "                - \($0)\n" }.joined()))
        #expect(!text.contains("--input-checksum"))
    }

    @Test func `Warnings of the files are handed on`() throws {
        let example = RepositoryFiles.root.appending("examples/debian-13.yaml")
        #expect(try GoCDPlanning.text(request([example])).warnings.isEmpty)
        let warnings = try GoCDPlanning.text(request([Self.architecture("many"), example])).warnings
        #expect(
            warnings.contains {
                $0.line == 38 && $0.message.hasPrefix("SHA-1 does not protect")
                    && $0.file.hasSuffix("many.architecture.yml")
            })
    }

    @Test(arguments: [
        ("base: {image: {path: /in.img}}", "--advisory"),
        ("base: {image: {path: /in.img}}\nverify: {strict: true}", "--strict"),
        (
            "base: {image: {path: /in.img}}\nreset: defaults\nverify: {waivers: [{rule: H-24, reason: a test}]}",
            "--waive=H-24=a test"
        ),
        ("base: {image: {path: /in.img}}\nreset: defaults", nil),
    ])
    func `A definition's image is verified as its build does it`(lines: String, option: String?) async throws {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("web.yaml")
            try Scratch.write(
                "name: web\nversion: \"1\"\nos: {distribution: linux, release: none}\noutputs: [qcow2]\n\(lines)\n",
                file)
            let text = try GoCDPlanning.text(request([file])).text
            let words = ["sh", "verify-web-1.qcow2.xml"] + (option.map { [$0] } ?? []) + ["out/web-1.qcow2"]
            #expect(text.contains(words.map { "                - \($0)\n" }.joined()), "\(text)")
        }
    }

    @Test func `What would be no pipeline of its own is refused`() throws {
        for (paths, group, message) in [
            ([Self.architecture("site")], "images", "'été' is no name for a pipeline"),
            ([Self.architecture("two-images"), Self.architecture("two-images")], "images", "two images are called "),
            ([Self.architecture("two-images")], "no blanks", "the group 'no blanks' is none for GoCD"),
            ([FilePath("/none.yml")], "images", "cannot read /none.yml: "),
        ] {
            let error = #expect(throws: FactoryError.self) { try GoCDPlanning.text(request(paths, group: group)) }
            #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        }
    }
}
