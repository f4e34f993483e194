import Glibc
import SystemPackage

/// A folder that is gone when the scope ends, with the files a test needs.
struct ScratchFolder {
    let path: FilePath

    @discardableResult
    static func with<Result>(in parent: String = "/tmp", _ body: (ScratchFolder) throws -> Result) throws -> Result {
        var template = Array("\(parent)/disk-formats-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
        defer { _ = try? Program.run("/bin/rm", ["-rf", path.string]) }
        return try body(ScratchFolder(path: path))
    }

    /// Makes a file of a size that has these bytes at these places and holes between; it is closed with the scope.
    @discardableResult
    func file<Result>(
        _ name: String, size: Int64 = 0, _ pieces: [(at: Int64, bytes: [UInt8])] = [],
        _ body: (FileDescriptor) throws -> Result
    ) throws -> Result {
        let descriptor = try FileDescriptor.open(
            path.appending(name), .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        return try descriptor.closeAfter {
            try descriptor.resize(to: size)
            for piece in pieces { try descriptor.writeAll(toAbsoluteOffset: piece.at, piece.bytes) }
            return try body(descriptor)
        }
    }

    /// Opens a file that is there, for reading and writing.
    @discardableResult
    func open<Result>(_ name: String, _ body: (FileDescriptor) throws -> Result) throws -> Result {
        let descriptor = try FileDescriptor.open(path.appending(name), .readWrite, options: .closeOnExec)
        return try descriptor.closeAfter { try body(descriptor) }
    }

    func string(_ name: String) -> String { path.appending(name).string }
}

extension FileDescriptor {
    /// The whole content, for small files.
    func content() throws -> [UInt8] {
        let size = Int(try seek(offset: 0, from: .end))
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                let got = try read(fromAbsoluteOffset: Int64(count), into: rest)
                if got == 0 { break }
                count += got
            }
        }
    }
}

/// The reference tools.
enum Program {
    struct Failure: Error { let program: String, status: Int32 }

    static func exists(_ program: String) -> Bool { access(program, X_OK) == 0 }

    /// Runs a program with this text as its input; returns what it prints.
    @discardableResult
    static func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
        let (inputFile, outputFile) = (tmpfile(), tmpfile())
        guard let inputFile, let outputFile else { throw Errno(rawValue: errno) }
        defer {
            fclose(inputFile)
            fclose(outputFile)
        }
        let (source, sink) = (FileDescriptor(rawValue: fileno(inputFile)), FileDescriptor(rawValue: fileno(outputFile)))
        try source.writeAll(toAbsoluteOffset: 0, input.utf8)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, source.rawValue, 0)
        posix_spawn_file_actions_adddup2(&actions, sink.rawValue, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var child: pid_t = 0
        var status: Int32 = 0
        guard posix_spawn(&child, program, &actions, nil, &words, nil) == 0 else {
            throw Failure(program: program, status: 127)
        }
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Failure(program: program, status: status) }
        return String(decoding: try sink.content(), as: UTF8.self)
    }
}

/// Numbers that are the same in every run.
struct RepeatableNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 1...255, using: &self) } }
}
