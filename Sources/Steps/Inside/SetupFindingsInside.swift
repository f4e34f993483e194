import DiskFormats
import Filesystems
import Model
import SystemPackage

/// Reads from a disk, inside a containment, what cloud-init has and has left there.
package struct SetupFindingsInside: Codable, Sendable {
    static let disk: FilePath = "/mnt/disk.raw"
    static let folder: FilePath = "/mnt/out"
    static let record = "findings.json"
    /// What helps to understand a failure, by its name in the folder.
    static let logs = [
        "cloud-init.log": "{/var,}/log/cloud-init.log", "cloud-init-output.log": "{/var,}/log/cloud-init-output.log",
        "result.json": "{/var,}/lib/cloud/data/result.json", "status.json": "{/var,}/lib/cloud/data/status.json",
    ]

    /// Whether the logs are copied, too.
    var keepsLogs: Bool

    func run() throws {
        let file = try FileDescriptor.open(Self.disk, .readOnly, options: [.closeOnExec, .nonBlocking])
        let findings = try file.closeAfter { try find(FileBytes(file)) }
        try WholeFile.write(try Canonical.text(findings), Self.folder.appending(Self.record))
    }

    private func find(_ disk: FileBytes) throws -> SetupFindings {
        let roots = try SystemRoot.all(of: disk)
        var findings = SetupFindings(content: roots.first?.content.rawValue)
        // Below /var may be another filesystem than that of the system.
        for place in try SystemRoot.filesystems(of: disk) where place.content.isExt {
            do {
                let filesystem = try Ext4Filesystem(Self.disk, offset: UInt64(place.bytes.lowerBound))
                try look(into: Ext4Editor(reading: filesystem), isRoot: roots.contains(place), &findings)
            } catch let error as Ext4.Failure {
                if roots.contains(place) { findings.problem = findings.problem ?? error.reason }
            }
        }
        return findings
    }

    private func look(into files: Ext4Editor, isRoot: Bool, _ findings: inout SetupFindings) throws {
        if isRoot {
            findings.isReadable = true
            let programs = try files.match("/{usr/bin,usr/local/bin,usr/libexec/cloud-init}/cloud-init")
            findings.hasCloudInit = findings.hasCloudInit || !programs.isEmpty
            let isDisabled = try files.find("/etc/cloud/cloud-init.disabled") != nil
            findings.isSwitchedOff = findings.isSwitchedOff || isDisabled
        }
        if findings.result == nil, let bytes = try bytes("{/var,}/lib/cloud/data/result.json", of: files) {
            findings.result = try? Canonical.decode(JSONValue.self, from: bytes)
        }
        guard keepsLogs else { return }
        for (name, pattern) in Self.logs {
            guard let bytes = try bytes(pattern, of: files) else { continue }
            try WholeFile.write(String(decoding: bytes, as: UTF8.self), Self.folder.appending(name))
        }
    }

    private func bytes(_ pattern: String, of files: Ext4Editor) throws -> [UInt8]? {
        let found = try files.match(pattern).first { $0.status.kind == .file }
        return try found.map { try files.bytes($0, limit: 8 << 20) }
    }
}

/// What is on a disk of cloud-init.
struct SetupFindings: Hashable, Sendable, Codable {
    /// The filesystem of the system; nil if there is none that is known.
    var content: String?
    /// Whether the host can read it without mounting it.
    var isReadable = false
    /// Why it cannot, though it is one of ext's family.
    var problem: String?
    var hasCloudInit = false
    var isSwitchedOff = false
    /// result.json of the last boot with cloud-init.
    var result: JSONValue?
}
