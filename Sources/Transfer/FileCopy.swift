import Glibc
import Model
import SystemPackage

/// Takes a file of the host in: a copy, since whoever owns the file may change it between its digest and its use.
struct FileCopy {
    let source: Source
    let limits: TransferLimits
    let folder: FilePath
    let report: TransferReport

    var body: FilePath { folder.appending("out").appending("body") }

    /// What the file is by its facts; nil if that is `known` and nothing was copied.
    func run(known: String?) async throws -> String? {
        let path = FilePath(source.location)
        let before = try stamp(path)
        if before == known { return nil }
        try LocalFile.makeFolder(folder.appending("out"))
        _ = unlink(body.string)
        let total = LocalFile.size(path)
        let report = report
        _ = try await Content.read(path, copyingTo: body) { received, _ in report.progress(received, total) }
        guard try stamp(path) == before else {
            throw FactoryError(
                .missingInput, "\(path) changes while it is read", remedy: "try again when nobody writes to it")
        }
        return before
    }

    private func stamp(_ path: FilePath) throws -> String {
        var facts = stat()
        guard stat(path.string, &facts) == 0 else {
            throw FileFailure.error(Errno(rawValue: errno), "read", path, code: .missingInput)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw FactoryError(.missingInput, "\(path) is no regular file", remedy: "name a file")
        }
        if let limit = limits.size, UInt64(facts.st_size) > limit.bytes {
            throw FactoryError(.failed, "\(path) has more than \(limit)", remedy: "check that it is the file you mean")
        }
        return "\(facts.st_dev):\(facts.st_ino):\(facts.st_size):\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
            + ":\(facts.st_ctim.tv_sec).\(facts.st_ctim.tv_nsec)"
    }
}
