import FoundationEssentials

/// The one encoder of all bytes that are hashed, and of the JSON files beside them: UTF-8 JSON with sorted keys.
package enum Canonical {
    /// The bytes that stand for a value in a digest.
    package static func bytes(_ value: some Encodable) throws -> [UInt8] {
        try encode(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    /// The same for a person to read, with a line break at the end.
    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encode(value, [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]), as: UTF8.self)
            + "\n"
    }

    package static func digest(_ value: some Encodable) throws -> Digest {
        Digest(of: try bytes(value))
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    private static func encode(_ value: some Encodable, _ format: JSONEncoder.OutputFormatting) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = format
        return Array(try encoder.encode(value))
    }
}
