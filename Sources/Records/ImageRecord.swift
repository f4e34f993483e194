package import Model

/// All that the documents beside an image tell: facts that a build has found, and nothing of the machine or the hour
/// of it, so that the same build gives the same documents.
package struct ImageRecord: Sendable {
    package struct File: Sendable {
        /// Without a folder of the host.
        package var name: String
        package var digest: Digest

        package init(name: String, digest: Digest) {
            self.name = name
            self.digest = digest
        }
    }

    package struct Package: Sendable {
        package var installed: InstalledPackage
        /// Where it came from, if the build knows its file.
        package var locked: LockedPackage?
        /// The public archive that has the file.
        package var archive: String?

        package init(installed: InstalledPackage, locked: LockedPackage? = nil, archive: String? = nil) {
            self.installed = installed
            self.locked = locked
            self.archive = archive
        }
    }

    package struct Step: Sendable {
        package var name: String
        package var id: Digest
        package var tools: [String: String]

        package init(name: String, id: Digest, tools: [String: String]) {
            self.name = name
            self.id = id
            self.tools = tools
        }
    }

    package var name: String
    package var version: String
    /// The version of image-factory.
    package var builder: String
    package var distribution: String
    package var suite: String
    /// The time of the build's contents, in seconds since 1970.
    package var epoch: UInt64
    /// The definition as it was written.
    package var definitionFile: File
    /// The definition as it was understood.
    package var definition: Digest
    /// The variables that were given for it, without secrets.
    package var variables: [String: String]
    package var lock: File?
    package var plan: Digest
    package var steps: [Step]
    /// The signed index of each suite, by its public address.
    package var releases: [File]
    /// What an installer was started from, by its public address.
    package var sources: [File]
    /// Local files that the definition puts into the image, by their path there, and those that answer an installer's
    /// questions.
    package var localFiles: [File]
    package var packages: [Package]
    package var artifacts: [Artifact]

    package init(
        name: String, version: String, builder: String, distribution: String, suite: String, epoch: UInt64,
        definitionFile: File, definition: Digest, variables: [String: String], lock: File?, plan: Digest,
        steps: [Step], releases: [File], sources: [File] = [], localFiles: [File], packages: [Package],
        artifacts: [Artifact]
    ) {
        self.name = name
        self.version = version
        self.builder = builder
        self.distribution = distribution
        self.suite = suite
        self.epoch = epoch
        self.definitionFile = definitionFile
        self.definition = definition
        self.variables = variables
        self.lock = lock
        self.plan = plan
        self.steps = steps
        self.releases = releases
        self.sources = sources
        self.localFiles = localFiles
        self.packages = packages
        self.artifacts = artifacts
    }

    /// Stands for the plan and what it made: the same for two builds exactly if nothing of them differs.
    var identity: Digest {
        Digest(of: Array(([plan] + artifacts.map(\.digest)).map(\.hex).joined(separator: "\n").utf8))
    }
}
