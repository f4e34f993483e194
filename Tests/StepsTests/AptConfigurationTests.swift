import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct AptConfigurationTests {
    @Test func `apt makes the folders of its lists in a store that is new`() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path
            for name in ["state", "tmp"] { try #require(mkdir(folder.appending(name).string, 0o755) == 0) }
            try Scratch.write("", folder.appending("sources.list"))
            let configuration = AptConfiguration.text(
                .amd64, state: "/mnt/state", lists: "/mnt/state/lists", status: "/mnt/state/status", further: "")
            try Scratch.write(
                configuration.split(separator: "/mnt", omittingEmptySubsequences: false).joined(
                    separator: folder.string),
                folder.appending("apt.conf"))
            let command = Command(
                "apt-get", ["update", "--quiet"], environment: ["APT_CONFIG": folder.appending("apt.conf").string])
            let result = try await CommandRunner().run(command)
            #expect(result.succeeded, "\(result.reason ?? "")")
            #expect(Scratch.names(folder.appending("state").appending("lists")).contains("partial"))
        }
    }
}
