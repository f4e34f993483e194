/// Something that the commands of a build may know and the image must not have.
package struct SecretDeclaration: Hashable, Sendable, Codable {
    package enum Source: Hashable, Sendable, Codable {
        /// A variable in the environment of whoever builds.
        case environment(String)
        /// A file of the host, by its absolute path; a line break at its end is no part of it.
        case file(String)
        case inline(SecretText)
    }

    /// The name of the file below /run/secrets.
    package var name: String
    package var source: Source

    package init(name: String, source: Source) {
        self.name = name
        self.source = source
    }
}

/// A text that is never shown: wherever it is written it is `***`.
package struct SecretText: Hashable, Sendable, Codable, CustomStringConvertible, CustomDebugStringConvertible {
    package let value: String

    package init(_ value: String) { self.value = value }

    package var description: String { "***" }
    package var debugDescription: String { "***" }

    package init(from decoder: any Decoder) throws {
        throw DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath, debugDescription: "a secret that was not kept cannot be read"))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("***")
    }
}
