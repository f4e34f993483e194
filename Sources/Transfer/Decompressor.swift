import Glibc
package import Model
package import SystemPackage
package import Tooling

/// Unpacks one compressed file, in a containment without network, within limits: a small file can hold terabytes of
/// zeros.
package struct Decompressor: Sendable {
    package enum Format: String, Hashable, Sendable, CaseIterable {
        case xz
        case gzip = "gz"
        case zstd = "zst"
        case bzip2 = "bz2"

        /// The format that a file's first bytes are of; nil: it is none of these.
        package init?(_ bytes: some Sequence<UInt8>) {
            let start = Array(bytes.prefix(6))
            let known: [(Format, [UInt8])] = [
                (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), (.gzip, [0x1f, 0x8b]), (.zstd, [0x28, 0xb5, 0x2f, 0xfd]),
                (.bzip2, [0x42, 0x5a, 0x68]),
            ]
            guard let found = known.first(where: { start.starts(with: $0.1) }) else { return nil }
            self = found.0
        }

        /// The program and what makes it write `/mnt/out/file` from `/mnt/out/file.SUFFIX`, a link to the input.
        fileprivate var command: (program: String, arguments: [String]) {
            let packed = "/mnt/out/file.\(rawValue)"
            return switch self {
            case .xz: ("xz", ["--decompress", "--keep", "--force", "--quiet", "--memlimit-decompress=1GiB", packed])
            case .gzip: ("gzip", ["--decompress", "--keep", "--force", "--quiet", packed])
            case .bzip2: ("bzip2", ["--decompress", "--keep", "--force", "--quiet", packed])
            case .zstd:
                (
                    "zstd",
                    [
                        "--decompress", "--force", "--quiet", "--no-progress", "--memory=1024MB", "-o", "/mnt/out/file",
                        packed,
                    ]
                )
            }
        }
    }

    package struct Limits: Sendable, Hashable {
        /// The most bytes that may come out.
        package var size: ByteCount
        /// How many times its own size a file may hold. What is smaller than 1 GiB when it is unpacked is not asked.
        package var ratio: UInt64

        package init(size: ByteCount = .gibi(64), ratio: UInt64 = 1000) {
            self.size = size
            self.ratio = ratio
        }

        /// Of a file with so many bytes.
        func most(of packed: UInt64) -> ByteCount {
            let (product, overflow) = packed.multipliedReportingOverflow(by: ratio)
            return min(size, overflow ? size : max(ByteCount(product), .gibi(1)))
        }
    }

    private let runner: any CommandRunning
    private let limits: Limits

    package init(runner: any CommandRunning, limits: Limits = Limits()) {
        self.runner = runner
        self.limits = limits
    }

    /// Unpacks a file into a folder, which the caller has made for this alone and removes; returns the unpacked file.
    ///
    /// Throws `FactoryError` where the file is damaged or too large.
    package func unpack(
        _ file: FilePath, format: Format, into folder: FilePath, report: TransferReport = TransferReport()
    ) async throws -> FilePath {
        guard let packed = LocalFile.size(file) else {
            throw FileFailure.error(Errno.noSuchFileOrDirectory, "read", file, code: .missingInput)
        }
        let link = folder.appending("file.\(format.rawValue)")
        let result = folder.appending("file")
        guard symlink("/mnt/in", link.string) == 0 else {
            throw FileFailure.error(Errno(rawValue: errno), "write", link, code: .cannotCreate)
        }
        defer { _ = unlink(link.string) }
        try Containment.handOver(folder)
        let most = limits.most(of: packed)
        let containment = Containment(
            identities: .caller, network: .none, workSize: .mebi(16),
            binds: [
                Containment.Bind(source: file, target: "/mnt/in"),
                Containment.Bind(source: folder, target: "/mnt/out", writable: true),
            ], limits: Containment.Limits(addressSpace: .gibi(2), fileSize: most))
        let (program, arguments) = format.command
        let ended = try await FileGrowth.report(result, to: report, total: { nil }) {
            try await runner.run(Command(program, arguments, containment: containment))
        }
        guard ended.succeeded, LocalFile.size(result) != nil else {
            // What ran into the limit of file sizes is ended by this signal, or told that it cannot write.
            let isTooLarge = ended.ending == .signalled(SIGXFSZ) || ended.reason?.contains("File too large") == true
            let reason = ended.reason.map { ": \($0)" } ?? ""
            throw FactoryError(
                .failed,
                isTooLarge
                    ? "\(file) holds more than \(most)"
                    : "cannot unpack \(file): \(program) ended with \(ended.ending)\(reason)",
                remedy: isTooLarge ? "check that it is the file you mean" : "check the file: it may be damaged")
        }
        return result
    }
}
