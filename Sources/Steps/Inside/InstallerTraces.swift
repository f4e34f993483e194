import Filesystems
import Model

/// What installers leave in the systems that they install: logs and answer files.
struct InstallerTraces {
    let editor: Ext4Editor

    /// What is told: of anaconda, AutoYaST, debian-installer and subiquity.
    private static let told = [
        "/root/{anaconda-ks.cfg,original-ks.cfg}", "/var/adm/autoinstall/logs/*", "/var/log/anaconda.*",
        "/var/log/anaconda/*", "/var/log/installer/{syslog,subiquity-server-debug.log}", "/var/log/YaST2/y2log",
    ]

    private static let removed = [
        "/root/{anaconda-ks.cfg,original-ks.cfg,install.log*,autoinst*}", "/var/adm/autoinstall", "/var/lib/YaST2",
        "/var/log/anaconda", "/var/log/anaconda.*", "/var/log/installer", "/var/log/YaST2",
    ]

    /// Bytes of one file, and of all.
    private static let mostOfOne = 4 << 20
    private static let mostOfAll = 16 << 20

    /// The content of the logs under their names, as `Content of /NAME:` and then the text. Bytes that are no UTF-8 are
    /// replaced; what is too long ends with a line that says so.
    func collect() throws(Ext4.Failure) -> (text: String, files: [String]) {
        var text = ""
        var files: [String] = []
        for pattern in Self.told {
            for file in try editor.match(pattern) where file.status.kind == .file {
                let room = min(Self.mostOfOne, Self.mostOfAll - text.utf8.count)
                guard room > 0 else { break }
                text += "Content of \(file.path):\n"
                text += String(decoding: try editor.bytes(file, limit: room), as: UTF8.self)
                if text.last?.isNewline == false { text += "\n" }
                if file.status.size > UInt64(room) { text += "(cut off: it has \(file.status.size) bytes)\n" }
                files.append("\(file.path)")
            }
        }
        return (text, files)
    }

    /// Removes all of them. Returns their paths, without links on the way.
    func remove() throws(Ext4.Failure) -> [String] {
        var paths: [String] = []
        for pattern in Self.removed {
            for place in try editor.match(pattern) {
                // What one link leads to may be gone with what another one did.
                guard let place = try editor.find(place.path, following: false) else { continue }
                try editor.remove(place)
                paths.append("\(place.path)")
            }
        }
        return paths
    }
}
