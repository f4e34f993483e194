import Glibc
package import SystemPackage

/// Files of the checkout that the tests were built from.
package enum RepositoryFiles {
    /// The folder with Package.swift.
    package static var root: FilePath {
        FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    }

    package static func bytes(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }

    /// The definitions in examples/, by name without `.yaml`.
    package static let examples = [
        "debian-12", "debian-12-minimal", "debian-13", "debian-13-minimal", "ubuntu-24.04",
    ]

    package static func example(_ name: String) throws -> [UInt8] {
        try bytes(root.appending("examples").appending(name + ".yaml"))
    }
}

/// Expected texts in files beside the tests. With UPDATE_GOLDENS=1 in the environment they are written anew.
package enum Golden {
    package static var isUpdating: Bool { getenv("UPDATE_GOLDENS") != nil }

    /// The expected text of that name in the folder `Goldens` beside a test's source file.
    package static func expected(_ name: String, for text: String, beside source: String = #filePath) throws -> String {
        let path = FilePath(source).removingLastComponent().appending("Goldens").appending(name)
        if isUpdating {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
        }
        return String(decoding: try RepositoryFiles.bytes(path), as: UTF8.self)
    }
}
