import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Steps

@Suite struct MonitorRelayTests {
    private func kind(_ path: FilePath) -> mode_t? {
        var facts = stat()
        return lstat(path.string, &facts) == 0 ? facts.st_mode & (S_IFMT | 0o777) : nil
    }

    @Test func `A socket may be in a folder of any depth, is its owner's alone, and goes with the machine`()
        async throws
    {
        try await Scratch.with { scratch in
            var folder = scratch.path
            for _ in 0..<3 {
                folder.append(String(repeating: "deep", count: 20))
                try #require(mkdir(folder.string, 0o755) == 0)
            }
            let path = folder.appending("monitor")
            try await MonitorRelay.with(MonitorSocket(path), folder: scratch.path) {
                #expect(kind(path) == S_IFSOCK | 0o600)
            }
            #expect(Scratch.names(folder) == [])
        }
    }

    @Test func `A socket that another machine has stays with it: one that is required fails, another is done without`()
        async throws
    {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("monitor")
            let heard = Mutex<[String]>([])
            let optional = MonitorSocket(path) { error in heard.withLock { $0.append(error.message) } }
            try await MonitorRelay.with(optional, folder: scratch.path) {
                let ran = try await MonitorRelay.with(optional, folder: scratch.path) { true }
                #expect(ran && kind(path) == S_IFSOCK | 0o600)
                let error = await #expect(throws: FactoryError.self) {
                    try await MonitorRelay.with(MonitorSocket(path), folder: scratch.path) {}
                }
                #expect(error?.code == .cannotCreate)
            }
            #expect(heard.withLock { $0 } == ["cannot make the monitor's socket \(path): another machine uses it"])
            #expect(Scratch.names(scratch.path) == [])
        }
    }

    @Test func `A socket that nobody listens at any more is replaced, and a file is not`() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path.appending("monitor")
            try await MonitorRelay.with(MonitorSocket(path), folder: scratch.path) {
                try #require(link(path.string, scratch.path.appending("left").string) == 0)
            }
            try #require(rename(scratch.path.appending("left").string, path.string) == 0)
            try await MonitorRelay.with(MonitorSocket(path), folder: scratch.path) {
                #expect(kind(path) == S_IFSOCK | 0o600)
            }
            try Scratch.write("mine", path)
            let error = await #expect(throws: FactoryError.self) {
                try await MonitorRelay.with(MonitorSocket(path), folder: scratch.path) {}
            }
            #expect(error?.message.hasSuffix("a file is there") == true)
            #expect(try Scratch.read(path) == "mine")
        }
    }
}
