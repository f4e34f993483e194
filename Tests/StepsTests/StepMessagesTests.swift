import Testing

@testable import Steps

@Suite struct StepMessagesTests {
    @Test func `The progress of the program inside is heard`() throws {
        let progress = try #require(InsideMessage(InsideMessage.progress(5, of: 7))?.progress)
        #expect(progress == (5, 7))
        #expect(InsideMessage(InsideMessage.error("5 7", remedy: nil))?.progress == nil)
    }

    @Test(arguments: ["", "5", "5 x", "-1 7", "1 2 3", "99999999999999999999 1"])
    func `Numbers that are no progress are none`(text: String) {
        #expect(InsideMessage("\u{1f}image-factory:progress:" + text)?.progress == nil)
    }

    @Test func `The program inside is heard, marked or with its mark escaped`() throws {
        let line = InsideMessage.error("no kernel", remedy: "add one")
        let message = try #require(InsideMessage(line))
        #expect(message.isError)
        #expect(message.text == "no kernel\tadd one")
        #expect(InsideMessage(line.replacing("\u{1f}", with: "\\x1F"))?.text == "no kernel\tadd one")
        #expect(InsideMessage("\u{1f}image-factory:warning:old: kernel")?.text == "old: kernel")
        #expect(InsideMessage("\u{1f}image-factory:warning:x")?.isError == false)
    }

    @Test(arguments: ["", "image-factory:error:no", " \u{1f}image-factory:error:no", "error: no"])
    func `What a command prints is no message`(line: String) {
        #expect(InsideMessage(line) == nil)
    }

    @Test func `Kernel versions are ordered as people count`() {
        let versions = [
            "6.1.0-9-amd64", "6.1.0-10-amd64", "6.1.0-10-cloud-amd64", "6.2", "6.10.3", "6.10.3+b1", "10.0",
        ]
        #expect(versions.shuffled().sorted(by: VersionOrder.isBefore) == versions)
        #expect(!VersionOrder.isBefore("6.1", "6.1"))
    }
}
