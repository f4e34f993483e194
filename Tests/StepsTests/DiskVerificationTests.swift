import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct DiskVerificationTests {
    /// With a program in the place of ours that does what a defect would make ours do.
    private func run(_ script: String, secrets: [SecretValue] = []) async throws -> FactoryError? {
        try await Scratch.with { scratch in
            let program = scratch.path.appending("program")
            try Scratch.write("#!/bin/sh\n" + script + "\n", program)
            #expect(chmod(program.string, 0o755) == 0)
            let (output, place) = (scratch.path.appending("out"), scratch.path.appending("scratch"))
            for folder in [output, place] { #expect(mkdir(folder.string, 0o755) == 0) }
            try Scratch.write("disk", scratch.path.appending("disk"))
            let verification = DiskVerification(runner: CommandRunner(helper: builtExecutable()), executable: program)
            do {
                _ = try await verification.run(
                    .init(policy: VerifyPolicy(), secrets: secrets), disk: scratch.path.appending("disk"),
                    output: output, scratch: place
                ) { #expect(!$0.contains("hunter2")) }
                return nil
            } catch let error as FactoryError {
                return error
            }
        }
    }

    @Test(arguments: ["ILL", "SEGV", "KILL"])
    func `A reader that is ended by a signal fails this work alone, with one line`(signal: String) async throws {
        let error = try #require(try await run("kill -\(signal) $$"))
        #expect(error.code == .definition)
        #expect(error.message.hasPrefix("the image cannot be verified: reading it ended with signal "))
        #expect(!error.message.contains("\n"))
        #expect(error.remedy != nil)
    }

    @Test func `Secrets reach the reader in a file of its own, and no line`() async throws {
        let secret = SecretValue(name: "token", value: "hunter2-hunter2")
        let error = try #require(
            try await run(
                "cat /mnt/secrets.json; stat -c %a /mnt/secrets.json | grep -qx 600 && grep -q hunter2-hunter2 "
                    + "/mnt/secrets.json && ! grep -q hunter2 /mnt/order.json && exit 7; exit 8", secrets: [secret]))
        #expect(error.message.hasSuffix("ended with exit status 7"))
    }

    @Test func `Lines of a secret are masked one by one, short ones excepted`() {
        #expect(SecretValue(name: "a", value: "short").maskedTexts == ["short"])
        let texts = SecretValue(name: "a", value: "{\n  \"key\": \"value\"\n}").maskedTexts
        #expect(texts.first == "  \"key\": \"value\"")
        // In base64, with nothing, one and two bytes before it.
        #expect(texts.dropFirst().map { $0.prefix(6) } == ["ewogIC", "sKICAi", "7CiAgI"])
    }
}
