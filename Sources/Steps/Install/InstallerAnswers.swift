import DiskFormats
import Glibc
import Model
import SystemPackage
import Tooling

/// The answer files of an installation, as they reach the installer: those of most in its initrd, those of Subiquity on
/// a disk of their own.
struct InstallerAnswers {
    struct File {
        var kind: AnswerFile.Kind
        var name: String
        var content: [UInt8]
    }

    private let files: [File]

    /// Reads the files. Throws where one is not there or two have the same name.
    init(_ action: InstallAction, localFiles: [Digest: FilePath]) throws {
        files = try action.answers.map { answers in
            guard let path = localFiles[answers.digest] else {
                throw FactoryError(.internal, "the answer file \(answers.name) is not known")
            }
            return File(kind: answers.kind, name: answers.name, content: try WholeFile.bytes(path))
        }
        let names = files.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw FactoryError(
                .definition, "two answer files are called \(twice)", remedy: "give one of them another name")
        }
    }

    /// Whether they make the installer say on the second serial port that it is done.
    var saysFinished: Bool {
        let words = Array(SerialMatcher.installationFinished.utf8)
        return files.contains { ByteSearch.contains(words, in: $0.content) }
    }

    /// Those that lie in the installer's initrd.
    var injected: [File] { files.filter { $0.kind != .autoinstall } }

    /// What the kernel unpacks after the installer's own initrd: nothing if no file goes there.
    func archive() throws -> [UInt8] {
        guard !injected.isEmpty else { return [] }
        var archive = NewcArchive()
        for file in injected { try archive.add(file.name, file.content) }
        // A process started by preseed/early_command would be waited for; one of these hooks is not.
        if injected.contains(where: { $0.kind == .preseed }) {
            try archive.add(
                "usr/lib/debian-installer-startup.d/S11image-factory",
                Array("tail -n +1 -f /var/log/syslog > /dev/ttyS1 2>&1 &\n".utf8))
        }
        return archive.bytes()
    }

    /// The disk `cidata`; nil if no file is for it.
    func seed() throws -> [UInt8]? {
        guard let file = files.first(where: { $0.kind == .autoinstall }) else { return nil }
        var image = ISO9660Writer(label: "cidata")
        try image.add("user-data", file.content)
        try image.add("meta-data", Array("instance-id: image-factory\n".utf8))
        return image.bytes()
    }
}

/// Finds bytes in bytes.
enum ByteSearch {
    static func contains(_ words: [UInt8], in text: [UInt8]) -> Bool {
        guard let first = words.first, text.count >= words.count else { return words.isEmpty }
        return text.indices.dropLast(words.count - 1).contains { at in
            text[at] == first && text[at..<at + words.count].elementsEqual(words)
        }
    }
}
