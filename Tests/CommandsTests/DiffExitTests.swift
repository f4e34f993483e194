import SystemPackage
import TestSupport
import Testing
import Tooling

@Suite struct DiffExitTests {
    private func diff(_ folder: FilePath, _ arguments: [String]) async throws -> CommandResult {
        try await CommandRunner().run(
            Command(
                builtExecutable().string, ["diff"] + arguments,
                environment: ["XDG_CACHE_HOME": folder.appending("cache").string], timeout: .seconds(60)))
    }

    @Test func `The exit status says whether the images are equal, differ or cannot be compared`() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path
            for (name, text) in [("one.raw", "a"), ("same.raw", "a"), ("other.raw", "b")] {
                try Scratch.write(String(repeating: text, count: 4096), folder.appending(name))
            }
            try await CommandRunner().runChecked(
                Command("tar", ["-C", folder.string, "-cf", folder.appending("a.tar").string, "one.raw"]),
                activity: "packing")
            func path(_ name: String) -> String { folder.appending(name).string }
            let equal = try await diff(folder, [path("one.raw"), path("same.raw")])
            #expect(
                (equal.ending, equal.text) == (.exited(0), "\(path("one.raw")) and \(path("same.raw")) are the same"))
            let quiet = try await diff(folder, ["-q", path("one.raw"), path("same.raw")])
            #expect((quiet.ending, quiet.text) == (.exited(0), ""))
            let differing = try await diff(folder, [path("one.raw"), path("other.raw")])
            #expect(differing.ending == .exited(1))
            #expect(differing.text.contains(" differ: 1 region, 4.0 KiB in all\nbyte 0 (sector 0), 4.0 KiB\n"))
            let mixed = try await diff(folder, [path("one.raw"), path("a.tar")])
            #expect(mixed.ending == .exited(65))
            #expect(try await diff(folder, [path("one.raw"), path("none")]).ending == .exited(66))
        }
    }
}
