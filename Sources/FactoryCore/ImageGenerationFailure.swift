import Model

/// Why an image of gen-vm-image was not made, told apart as that program's exit codes do.
package struct ImageGenerationFailure: Error, Sendable {
    package enum Reason: Hashable, Sendable {
        /// A file that was asked for is not there.
        case pathNotFound(String)
        /// A file or folder cannot be made.
        case create(String)
        case download
        /// The bytes are others than the checksum says. What they have is nil where nothing tells it.
        case checksum(found: String?, wanted: String)
        case resize(String)
        case check(String)
        /// There is no architecture file.
        case noDefinition(String)
        /// The architecture file, or an option that takes the place of it.
        case definition(Mistake)
    }

    /// What is wrong with a definition.
    package enum Mistake: Hashable, Sendable {
        case unreadable, missingRoot, missing, wrongType, checksumMap, checksumEntry, checksumEntryType, checksumType
        case checksumValue
    }

    package var reason: Reason
    /// One line: of a definition in gen-vm-image's words, else in ours.
    package var message: String
    /// Further lines for a person: places, causes and what to do.
    package var details: [String]

    package init(_ reason: Reason, _ message: String, details: [String] = []) {
        self.reason = reason
        self.message = message
        self.details = details
    }

    init(_ reason: Reason, _ error: any Error) {
        let known = error as? FactoryError
        self.init(
            reason, known?.message ?? "\(error)", details: [known?.remedy.map { "hint: " + $0 }].compactMap { $0 })
    }
}
