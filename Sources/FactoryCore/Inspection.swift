package import Model

/// What is known of images and of the files beside them, and what does not fit together.
package struct Inspection: Sendable, Codable {
    package var publications: [InspectedPublication]

    /// All problems, in the order of the files.
    package var problems: [InspectedFile] { publications.flatMap(\.files).filter { !$0.problems.isEmpty } }
}

/// Files that belong together: their names begin alike.
package struct InspectedPublication: Sendable, Codable {
    /// `NAME-VERSION`, from the files' names.
    package var name: String
    /// From the manifest, if it is there and can be read.
    package var build: BuildFacts?
    package var files: [InspectedFile]
}

/// What a manifest tells of a build.
package struct BuildFacts: Sendable, Codable {
    package struct Boot: Sendable, Codable {
        package var firmware: String
        package var seconds: Double
        package var accelerator: String
        package var seen: String
    }

    package var name: String
    package var version: String
    /// The version of image-factory.
    package var builder: String
    package var definition: Digest
    package var plan: Digest
    package var packages: Int
    package var steps: [BuildReport.StepTime]
    package var boots: [Boot]
    package var tools: [String: String]
    /// Members of the manifest that this version does not know by name, each in short.
    package var further: [String: String]
}

package struct InspectedFile: Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        case artifact
        case manifest
        case lock
        case sbom
        case provenance
    }

    package var file: String
    package var kind: Kind
    /// What its header says it is: `qcow2`.
    package var format: String?
    /// Further facts of its header, each a few words.
    package var header: [String] = []
    /// What a machine sees of a disk.
    package var virtualSize: ByteCount?
    package var size: ByteCount?
    /// What the file occupies on disk.
    package var allocated: ByteCount?
    package var digest: Digest?
    /// What was compared and fits: `manifest`, `signature`.
    package var agreements: [String] = []
    /// What could not be compared, each a few words.
    package var notes: [String] = []
    /// What does not fit, each a sentence about the file.
    package var problems: [String] = []

    init(_ file: String, _ kind: Kind) {
        self.file = file
        self.kind = kind
    }

    /// Remembers what a comparison gave.
    mutating func compare(_ what: String, _ isSame: Bool, otherwise problem: String) {
        if isSame { agreements.append(what) } else { problems.append(problem) }
    }
}
