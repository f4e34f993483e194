import Testing

@testable import Steps

@Suite struct StepMessagesTests {
    @Test(arguments: [("    (12.34/100%)", 12), ("(0.00/100%)", 0), ("    (100.00/100%)", 100)])
    func `The progress of qemu-img is read`(line: String, percent: UInt64) {
        #expect(ConvertStep.percent(line) == percent)
    }

    @Test(arguments: ["", "(", "(x/100%)", "12/100%)", "(nan/100%)", "(inf/100%)", "(1e300/100%)", "qemu-img: error"])
    func `What is no progress is none`(line: String) {
        #expect(ConvertStep.percent(line) == nil)
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
