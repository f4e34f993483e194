import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Transfer

@Suite struct FileFetchTests {
    @Test func `A file of the host is copied, so that its owner cannot change it afterwards`() async throws {
        try await Sources.with { sources in
            let path = sources.root.appending("kernel")
            try Scratch.write("one", path)
            let found = try await sources.fetch(Source(.file, path.string))
            try Scratch.write("two", path)
            #expect(try found.bytes == Array("one".utf8))
            #expect(found.digest == Digest(of: Array("one".utf8)))
        }
    }

    @Test func `A file is copied again only when it was changed`() async throws {
        try await Sources.with { sources in
            let path = sources.root.appending("kernel")
            try Scratch.write("one", path)
            let source = Source(.file, path.string)
            _ = try await sources.fetch(source)
            #expect(try await sources.fetch(source).wasCached)
            #expect(try await sources.fetch(source, offline: true).wasCached)
            try Scratch.write("two!", path)
            let changed = try await sources.fetch(source, offline: true)
            #expect(!changed.wasCached)
            #expect(try changed.bytes == Array("two!".utf8))
        }
    }

    @Test func `What is no file is refused`() async throws {
        try await Sources.with { sources in
            let missing = sources.root.appending("nothing")
            let error = try await sources.failure(Source(.file, missing.string))
            #expect(error.message == "cannot read \(missing): No such file or directory")
            #expect(error.code == .missingInput)
            let folder = try await sources.failure(Source(.file, sources.root.string))
            #expect(folder.message == "\(sources.root) is no regular file")
        }
    }

    @Test func `A file with another checksum is not kept`() async throws {
        try await Sources.with { sources in
            let path = sources.root.appending("kernel")
            try Scratch.write("one", path)
            let wrong = String(repeating: "0", count: 40)
            let error = try await sources.failure(Source(.file, path.string), .text("sha1:" + wrong))
            #expect(error.message == "the SHA-1 of \(path) is fe05bcdcdc4928012781a5f1a2a77cbb5398e106, not \(wrong)")
            #expect(sources.kept == [] && sources.partial == [])
        }
    }
}
