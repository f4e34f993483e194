import ArgumentParser
import FactoryCore
import Glibc
import Model
import SystemPackage

struct InstallLinks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make links to this program under the names of those that it stands for.",
        discussion: "The names: \(ForeignCommands.names).")

    @Argument(help: "The folder for the links, such as /usr/local/bin.")
    var folder: String

    @Flag(help: "Replace other files of these names.")
    var force = false

    func run() async throws {
        let (folder, force) = (FilePath(folder), force)
        try await Session.run {
            let program = try Host.executable()
            for name in ForeignCommands.all.map({ $0.name }) {
                try Self.link(folder.appending(name), to: program, force: force)
                try Session.tell("\(folder.appending(name)) -> \(program)\n")
            }
        }
    }

    private static func link(_ path: FilePath, to program: FilePath, force: Bool) throws {
        var facts = stat()
        if lstat(path.string, &facts) == 0 {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path.string, &buffer, buffer.count - 1)
            let target =
                count < 0 ? "" : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if target == program.string { return }
            guard force else {
                throw FactoryError(
                    .cannotCreate, "there is already another \(path)", remedy: "remove it, or give --force")
            }
        }
        // Made beside and renamed: at no time is there no program of that name.
        let new = FilePath(path.string + ".image-factory-new")
        unlink(new.string)
        guard symlink(program.string, new.string) == 0, rename(new.string, path.string) == 0 else {
            let number = Errno(rawValue: errno)
            unlink(new.string)
            throw FileFailure.error(number, "make the link", path, code: .cannotCreate)
        }
    }
}
