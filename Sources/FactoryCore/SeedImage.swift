package import Model
import Steps
import Store
package import SystemPackage
package import Tooling

/// A seed for cloud-init's data source NoCloud that is made without any image.
package struct SeedImage: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case iso
        case fat
    }

    /// What meta-data says that is written for a seed.
    package struct MetaData: Sendable {
        /// Nil: one that no other instance has.
        package var instance: String?
        package var hostname: String?
        /// A file of Debian's /etc/network/interfaces.
        package var interfaces: String?
        /// `local` or `net`.
        package var mode: String?

        package init(
            instance: String? = nil, hostname: String? = nil, interfaces: String? = nil, mode: String? = nil
        ) {
            self.instance = instance
            self.hostname = hostname
            self.interfaces = interfaces
            self.mode = mode
        }
    }

    /// A file cannot be read.
    package struct Unreadable: Error {
        package var kind: SeedFile.Kind
        package var path: FilePath
        package var reason: String
    }

    /// No seed holds more; what is larger is no file for cloud-init.
    static let limit = 64 << 20

    /// Of the host; /dev/stdin is one, too.
    package var files: [SeedFile.Kind: FilePath]
    package var format: Format
    /// Counts where there is no file for meta-data.
    package var metaData: MetaData

    package init(files: [SeedFile.Kind: FilePath], format: Format = .iso, metaData: MetaData = MetaData()) {
        self.files = files
        self.format = format
        self.metaData = metaData
    }

    /// The bytes of the disk. `warn` gets what is suspicious in the files.
    ///
    /// Throws `Unreadable`, or `FactoryError` for files that do not fit.
    package func bytes(
        runner: any CommandRunning, warn: @Sendable (Diagnostic) -> Void
    ) async throws -> [UInt8] {
        var contents: [SeedFile.Kind: [UInt8]] = [:]
        for (kind, path) in files.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let bytes = try await BlockingWork.run { _ in try Self.read(kind, path) }
            contents[kind] = bytes
            let name = path == "/dev/stdin" ? "standard input" : path.string
            let isFile = path.isAbsolute && path != "/dev/stdin"
            try await SeedFile.warnings(kind, bytes, name: name, path: isFile ? path : nil, runner: runner)
                .forEach(warn)
        }
        let instance = metaData.instance ?? NoCloudSeed.newInstance()
        if contents[.metaData] == nil { contents[.metaData] = Array(try metaData.text(instance: instance).utf8) }
        return try NoCloudSeed.image(format == .iso ? .iso : .fat, contents, instance: instance)
    }

    private static func read(_ kind: SeedFile.Kind, _ path: FilePath) throws -> [UInt8] {
        do {
            return try DurableFile.read(path, limit: limit)
        } catch {
            throw Unreadable(kind: kind, path: path, reason: "\(error)")
        }
    }
}

extension SeedImage.MetaData {
    /// Lines of YAML with texts as JSON has them.
    func text(instance: String) throws -> String {
        let pairs = [
            ("instance-id", instance), ("local-hostname", hostname), ("interfaces", interfaces), ("dsmode", mode),
        ]
        return try pairs.compactMap { key, value in
            try value.map { "\(key): \(String(decoding: try Canonical.bytes($0), as: UTF8.self))\n" }
        }.joined()
    }
}
