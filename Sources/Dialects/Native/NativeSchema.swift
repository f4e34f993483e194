import FoundationEssentials

/// The JSON Schema of native definitions, made of the same table that checks them.
package enum NativeSchema {
    /// JSON Schema 2020-12; the same bytes each time.
    package static func jsonSchema(distributions: DistributionNames) -> String {
        var schema = object(NativeKeys.root)
        schema["$schema"] = .text("https://json-schema.org/draft/2020-12/schema")
        schema["title"] = .text("image-factory definition")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let bytes = (try? encoder.encode(SchemaValue.map(schema))) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func object(_ keys: [ShapeKey]) -> [String: SchemaValue] {
        var properties: [String: SchemaValue] = [:]
        for key in keys {
            var value = describe(key.shape)
            value["description"] = .text(key.summary)
            properties[key.name] = .map(value)
        }
        var schema: [String: SchemaValue] = [
            "type": .text("object"), "properties": .map(properties), "additionalProperties": .flag(false),
        ]
        let required = keys.filter(\.isRequired).map { SchemaValue.text($0.name) }
        if !required.isEmpty { schema["required"] = .list(required) }
        return schema
    }

    private static func describe(_ shape: Shape) -> [String: SchemaValue] {
        switch shape {
        case .text(let rule):
            // YAML reads 13 and 9.10 as numbers; a definition takes them as they are written.
            var value: [String: SchemaValue] = ["type": .list([.text("string"), .text("number")])]
            // A variable may stand for the whole or a part of any text.
            if let pattern = rule.pattern { value["pattern"] = .text("^(\(pattern))$|\\$\\{") }
            if let example = rule.example { value["examples"] = .list([.text(example)]) }
            return value
        case .choice(let names):
            return [
                "anyOf": .list([
                    .map(["enum": .list(names.map { .text($0) })]),
                    .map(["type": .text("string"), "pattern": .text("\\$\\{")]),
                ])
            ]
        case .flag:
            return [
                "anyOf": .list([
                    .map(["type": .text("boolean")]), .map(["type": .text("string"), "pattern": .text("\\$\\{")]),
                ])
            ]
        case .list(let element, let mayBeEmpty):
            var value: [String: SchemaValue] = ["type": .text("array"), "items": .map(describe(element))]
            if !mayBeEmpty { value["minItems"] = .number(1) }
            return value
        case .map(let keys): return object(keys)
        case .variables:
            let kinds = ["string", "number", "boolean"].map { SchemaValue.text($0) }
            return ["type": .text("object"), "additionalProperties": .map(["type": .list(kinds)])]
        case .either(let shapes): return ["anyOf": .list(shapes.map { .map(describe($0)) })]
        }
    }
}

/// JSON as a value.
private indirect enum SchemaValue: Encodable {
    case text(String)
    case flag(Bool)
    case number(Int)
    case list([SchemaValue])
    case map([String: SchemaValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .list(let list): try container.encode(list)
        case .map(let map): try container.encode(map)
        }
    }
}
