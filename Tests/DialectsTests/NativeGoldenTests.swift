import Model
import SystemPackage
import TestSupport
import Testing

@Suite struct NativeGoldenTests {
    @Test(arguments: RepositoryFiles.examples)
    func `An example is lowered to the definition that was agreed on`(name: String) throws {
        let (definition, warnings) = try Native.parse(try RepositoryFiles.example(name))
        let text = try Canonical.text(definition)
        #expect(text == (try Golden.expected(name + ".json", for: text)))
        #expect(warnings.isEmpty)
    }

    @Test func `A definition that uses every key is lowered whole`() throws {
        let source = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/every-key.yaml")
        let (definition, _) = try Native.parse(try RepositoryFiles.bytes(source))
        let text = try Canonical.text(definition)
        #expect(text == (try Golden.expected("every-key.json", for: text)))
    }
}
