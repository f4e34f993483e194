package import Filesystems
package import Model

/// Removes from a system what belongs to one machine or one instance, before the image is cloned. The filesystem is not
/// mounted, and it is changed in place.
package struct ResetOperations {
    let editor: Ext4Editor
    let selection: ResetSelection
    let makesHostKeyUnit: Bool

    /// - Parameter makesHostKeyUnit: whether a unit is installed that makes SSH host keys at the first boot where nothing
    ///   in the image would.
    package init(_ editor: Ext4Editor, _ selection: ResetSelection, makesHostKeyUnit: Bool = false) {
        self.editor = editor
        self.selection = selection
        self.makesHostKeyUnit = makesHostKeyUnit
    }

    /// Does all of them; `Ext4Editor.flush` is the caller's. Throws `FactoryError` before anything is changed if the
    /// image would be left without host keys, and `Ext4.Failure` for a damaged filesystem.
    package func run() throws -> ResetReport {
        if selection.operations.contains(.sshHostKeys) { try requireHostKeyMaker() }
        let elsewhere = try otherFilesystems()
        return ResetReport(
            operations: try selection.operations.map(perform), elsewhere: elsewhere.isEmpty ? nil : elsewhere)
    }

    /// Where fstab has folders on filesystems of their own that operations are about.
    private func otherFilesystems() throws -> [String] {
        guard let table = try editor.find("/etc/fstab"), table.status.kind == .file else { return [] }
        let lines = String(decoding: try editor.bytes(table, limit: 1 << 16), as: UTF8.self).split(separator: "\n")
        return lines.compactMap { line in
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard fields.count > 2, !fields[0].hasPrefix("#"), Self.diskTypes.contains(fields[2]) else { return nil }
            let folders = ["/etc", "/home", "/root", "/srv", "/tmp", "/usr", "/var"]
            let isConcerned = folders.contains { fields[1] == $0 || fields[1].hasPrefix($0 + "/") }
            return isConcerned ? SerialText.printable(Array(fields[1].utf8)) : nil
        }
    }

    private static let diskTypes = ["auto", "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"]

    private func perform(_ operation: ResetOperation) throws -> ResetReport.Entry {
        var entry = ResetReport.Entry(name: operation.rawValue)
        entry.note = operation.obstacle
        for edit in operation.edits { try apply(edit, &entry) }
        switch operation {
        case .cloudInit: try resetCloudInit(&entry)
        case .logFiles: try resetLogs(&entry)
        case .machineID: try resetMachineID(&entry)
        case .sshHostKeys: try resetHostKeys(&entry)
        default: break
        }
        return entry
    }

    private func apply(_ edit: ResetEdit, _ entry: inout ResetReport.Entry) throws {
        switch edit {
        case .remove(let pattern):
            for place in try editor.match(pattern) { try remove(place, &entry) }
        case .removeBelow(let folders, let names):
            for place in try editor.match(folders + "/**")
            where place.status.kind == .file && names.contains(where: { place.isNamed($0) }) {
                try remove(place, &entry)
            }
        case .truncate(let pattern):
            for place in try editor.match(pattern) { try truncate(place, &entry) }
        case .dropLines(let pattern, let words):
            for file in try editor.match(pattern) { try drop(words, file, &entry) }
        case .removeMarked(let pattern, let mark):
            for file in try editor.match(pattern) {
                let text = String(decoding: try editor.bytes(file, limit: 1 << 16), as: UTF8.self)
                if text.contains(mark) { try remove(file, &entry) }
            }
        case .write(let path, let text):
            try editor.write(Array(text.utf8), to: BytePath(path))
            entry.changed.append(path)
        }
    }

    private func remove(_ place: Ext4Editor.Place, _ entry: inout ResetReport.Entry) throws {
        // What one pattern named may be gone with the folder that another one did.
        guard let place = try editor.find(place.path, following: false) else { return }
        try editor.remove(place)
        entry.removed.append("\(place.path)")
    }

    private func truncate(_ place: Ext4Editor.Place, _ entry: inout ResetReport.Entry) throws {
        guard place.status.kind == .file, place.status.size > 0 else { return }
        try editor.truncate(place)
        entry.emptied.append("\(place.path)")
    }

    private func drop(_ words: [String], _ file: Ext4Editor.Place, _ entry: inout ResetReport.Entry) throws {
        guard file.status.kind == .file else { return }
        let lines = try editor.bytes(file).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let kept = lines.filter { line in !words.contains { line.starts(with: Array("\($0)=".utf8)) } }
        guard kept.count < lines.count else { return }
        try editor.write(Array(kept.joined(separator: [UInt8(ascii: "\n")])), to: file.path)
        entry.changed.append("\(file.path)")
    }

    /// All of its state but a seed that was put there for instances.
    private func resetCloudInit(_ entry: inout ResetReport.Entry) throws {
        for place in try editor.match("/var/lib/cloud/*") where place.path.last != Array("seed".utf8) {
            try remove(place, &entry)
        }
    }

    /// Logs of packages stay, empty: some services expect theirs with its owner and mode. Old ones go.
    private func resetLogs(_ entry: inout ResetReport.Entry) throws {
        for pattern in ["/var/log/journal/*", "/run/log/journal/*", "/root/{install.log*,*-ks.cfg}"] {
            for place in try editor.match(pattern) { try remove(place, &entry) }
        }
        for place in try editor.match("/var/log/**") where place.status.kind == .file {
            if Self.isRotated(place.path.last) { try remove(place, &entry) } else { try truncate(place, &entry) }
        }
    }

    /// `syslog.1`, `dpkg.log.2.gz`, `messages-20261121`, `boot.log.old`.
    private static func isRotated(_ name: [UInt8]) -> Bool {
        let text = String(decoding: name, as: UTF8.self)
        if [".gz", ".xz", ".bz2", ".zst", ".old"].contains(where: text.hasSuffix) { return true }
        let end = text.split(whereSeparator: { $0 == "." || $0 == "-" }).last ?? ""
        let isNumber = !end.isEmpty && end.count < text.count && end.allSatisfy { $0.isASCII && $0.isNumber }
        return isNumber && (end.count <= 2 || end.count == 8)
    }

    /// Empty, so that the first boot writes one, and is not taken for a factory reset (machine-id(5)).
    private func resetMachineID(_ entry: inout ResetReport.Entry) throws {
        if let file = try editor.find("/etc/machine-id") { try truncate(file, &entry) }
        let bus: BytePath = "/var/lib/dbus/machine-id"
        guard let file = try editor.find(bus, following: false), file.status.kind == .file else { return }
        try editor.link(bus, to: "/etc/machine-id")
        entry.changed.append("\(bus)")
    }

    private func resetHostKeys(_ entry: inout ResetReport.Entry) throws {
        let keys = try editor.match("/etc/ssh/*_host_*")
        if try !keys.isEmpty && !makesHostKeys() {
            try writeHostKeyUnit()
            entry.changed.append("\(Self.unit)")
        }
        for key in keys { try remove(key, &entry) }
    }
}

/// What was changed: lists of paths for each operation.
package struct ResetReport: Hashable, Sendable, Codable {
    package struct Entry: Hashable, Sendable, Codable {
        package var name: String
        /// A folder stands for all that was in it.
        package var removed: [String] = []
        /// Files that stay, without content.
        package var emptied: [String] = []
        /// Files that were written.
        package var changed: [String] = []
        /// Why nothing could be done.
        package var note: String?
    }

    /// In the order of their names.
    package var operations: [Entry]
    /// Folders on filesystems of their own, in which nothing was reset; nil if there are none.
    package var elsewhere: [String]?
}
