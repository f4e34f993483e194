import DiskFormats
import Filesystems
import Glibc
import Model
import SystemPackage
import TestSupport
import Tooling

/// A change to a disk, made from outside by debugfs and the like.
enum Edit: Sendable {
    /// A file in place of what has its name, with the folders above it.
    case write(String, String, mode: UInt16 = 0o644)
    case bytes(String, [UInt8])
    case folder(String)
    case link(String, to: String)
    case remove(String)
    /// A field of an inode, as debugfs calls it.
    case field(String, String, String)
    /// A field of the superblock.
    case superblock(String, String)
    /// A command of debugfs.
    case debugfs(String)
    case attribute(String, String, [UInt8])
    /// Bytes at a place of the disk.
    case disk(UInt64, [UInt8])
    /// Bytes in the last free block.
    case free([UInt8])
    /// Behind the end of a file, in its last block.
    case slack(String, [UInt8])
    case size(Int64)
    /// A program with the disk as its last argument.
    case program(String, [String])

    static func apply(_ edits: [Edit], to disk: FilePath) async throws {
        for edit in edits { try await edit.apply(to: disk) }
    }

    private func apply(to disk: FilePath) async throws {
        switch self {
        case .write(let path, let text, let mode):
            try await Self.write(Array(text.utf8), to: path, mode: mode, disk)
        case .bytes(let path, let bytes): try await Self.write(bytes, to: path, mode: 0o644, disk)
        case .folder(let path):
            try await Self.debugfs(Self.parents(of: path) + ["mkdir \(path)", "sif \(path) mode 040755"], disk)
        case .link(let path, let target):
            try await Self.debugfs(Self.parents(of: path) + ["rm \(path)", "symlink \(path) \(target)"], disk)
        case .remove(let path): try await Self.debugfs(["rm \(path)"], disk)
        case .field(let path, let field, let value): try await Self.debugfs(["sif \(path) \(field) \(value)"], disk)
        case .superblock(let field, let value): try await Self.debugfs(["ssv \(field) \(value)"], disk)
        case .debugfs(let line): try await Self.debugfs([line], disk)
        case .attribute(let path, let name, let value):
            try await Scratch.with { scratch in
                let file = scratch.path.appending("value")
                try Self.write(value, at: 0, of: file)
                try await Self.debugfs(["ea_set -f \(file) \(path) \(name)"], disk)
            }
        case .disk(let offset, let bytes): try Self.write(bytes, at: offset, of: disk)
        case .free(let bytes):
            let free = try Ext4Filesystem(disk, offset: CleanImage.root).freeRanges()
            guard let last = free.last(where: { $0.count >= bytes.count }) else { throw Errno.noSpace }
            let room = (UInt64(bytes.count) + 4095) / 4096 * 4096
            try Self.write(bytes, at: CleanImage.root + last.upperBound - room, of: disk)
        case .slack(let path, let bytes):
            let tree = try ImageTree(Ext4Filesystem(disk, offset: CleanImage.root))
            guard let node = tree.find(BytePath(path)),
                let place = try tree.filesystem.place(of: node.inode, at: node.status.size - 1)
            else { throw Errno.noSuchFileOrDirectory }
            try Self.write(bytes, at: CleanImage.root + place + node.status.size % 4096, of: disk)
        case .size(let size): guard truncate(disk.string, off_t(size)) == 0 else { throw Errno(rawValue: errno) }
        case .program(let name, let arguments):
            try await CommandRunner().runChecked(Command(name, arguments + [disk.string]), activity: "changing a disk")
        }
    }

    private static func parents(of path: String) -> [String] {
        let names = path.split(separator: "/").dropLast()
        return names.indices.flatMap { at -> [String] in
            let folder = "/" + names[...at].joined(separator: "/")
            // Fails where it is there.
            return ["mkdir \(folder)"]
        }
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: UInt16, _ disk: FilePath) async throws {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("content")
            try write(bytes, at: 0, of: file)
            let name = path.split(separator: "/").last ?? ""
            let above = "/" + path.split(separator: "/").dropLast().joined(separator: "/")
            try await debugfs(
                parents(of: path) + [
                    "rm \(path)", "cd \(above)", "write \(file) \(name)",
                    "sif \(path) mode 0\(String(0o100000 | mode, radix: 8))",
                    "sif \(path) uid 0", "sif \(path) gid 0",
                ], disk)
        }
    }

    /// Runs commands of debugfs; it says what fails, and goes on.
    private static func debugfs(_ lines: [String], _ disk: FilePath) async throws {
        try await Scratch.with { scratch in
            let script = scratch.path.appending("script")
            try Scratch.write(lines.joined(separator: "\n") + "\n", script)
            try await CommandRunner().runChecked(
                Command("debugfs", ["-w", "-f", script.string, "\(disk)?offset=\(CleanImage.root)"]),
                activity: "changing a filesystem")
        }
    }

    private static func write(_ bytes: [UInt8], at offset: UInt64, of path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
    }
}
