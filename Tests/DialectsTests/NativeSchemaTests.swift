import Model
import Testing

@testable import Dialects

@Suite struct NativeSchemaTests {
    /// As much of a JSON Schema as tests ask.
    private struct Schema: Decodable {
        var required: [String]?
        var properties: [String: Described]?
        var additionalProperties: Bool?

        struct Described: Decodable { var description: String }
    }

    @Test func `The schema is JSON and has the keys that definitions have`() throws {
        let text = NativeSchema.jsonSchema(distributions: Native.distributions)
        let schema = try Canonical.decode(Schema.self, from: Array(text.utf8))
        #expect(Set(schema.properties?.keys ?? [:].keys) == Set(NativeKeys.root.map(\.name)))
        #expect(schema.additionalProperties == false)
        #expect(schema.required == ["name", "version", "os"])
    }

    @Test func `The schema is the same each time`() {
        let distributions = Native.distributions
        #expect(
            NativeSchema.jsonSchema(distributions: distributions)
                == NativeSchema.jsonSchema(distributions: distributions))
    }

    @Test func `Every pattern of the keys can be compiled`() {
        for pattern in Self.patterns(.map(NativeKeys.root)) {
            #expect(throws: Never.self) { try Regex(pattern) }
        }
    }

    private static func patterns(_ shape: Shape) -> [String] {
        switch shape {
        case .text(let rule): [rule.pattern].compactMap(\.self)
        case .choice, .flag, .variables: []
        case .list(let element, _): patterns(element)
        case .map(let keys): keys.flatMap { patterns($0.shape) }
        case .either(let shapes): shapes.flatMap(patterns)
        }
    }
}
