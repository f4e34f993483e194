import Glibc
import Model
import SystemPackage

/// The file that keeps the accelerator probe's verdict.
enum VerdictCache {
    /// What a verdict depends on.
    struct Key: Hashable, Codable {
        var boot: String
        var qemu: String
        var user: UInt32
        var contained: Bool
    }

    private struct Entry: Codable {
        var key: Key
        var accelerator: Accelerator
        var reason: String
    }

    private static let name = "accelerator.json"

    /// The verdict, if there is one for this key.
    static func read(from folder: FilePath, key: Key) -> AcceleratorVerdict? {
        guard let bytes = try? SmallFile.read(folder.appending(name)),
            let entry = try? Canonical.decode(Entry.self, from: bytes), entry.key == key
        else { return nil }
        return AcceleratorVerdict(accelerator: entry.accelerator, reason: entry.reason, cached: true)
    }

    /// Keeps a verdict. A failure costs the next probe two seconds, so it is no error.
    static func write(_ verdict: AcceleratorVerdict, to folder: FilePath, key: Key) {
        let entry = Entry(key: key, accelerator: verdict.accelerator, reason: verdict.reason)
        let draft = folder.appending(".\(name).\(getpid())")
        guard let text = try? Canonical.text(entry) else { return }
        unlink(draft.string)
        guard (try? SmallFile.create(draft, Array(text.utf8))) != nil else { return }
        if rename(draft.string, folder.appending(name).string) != 0 { unlink(draft.string) }
    }
}
