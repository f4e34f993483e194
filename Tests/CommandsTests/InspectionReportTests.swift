import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Commands
@testable import FactoryCore

@Suite struct InspectionReportTests {
    private let plain = TerminalTraits(canRedraw: false, unicode: true, color: false)

    @Test func `What fits and what does not are told, a line each`() {
        var good = InspectedFile("web-1.0.qcow2", .artifact)
        good.format = "qcow2"
        good.header = ["version 3"]
        good.virtualSize = .gibi(2)
        good.size = .mebi(100)
        good.agreements = ["checksum", "manifest"]
        good.notes = ["signature not checked"]
        var bad = InspectedFile("web-1.0.manifest.json", .manifest)
        bad.problems = ["its content and its own digest differ", "it is not signed"]
        let report = InspectionReport(
            Inspection(publications: [InspectedPublication(name: "web-1.0", build: nil, files: [good, bad])]))
        #expect(
            report.lines(plain) == [
                "web-1.0", "", "  web-1.0.qcow2", "    format  qcow2, version 3",
                "    size    2.0 GiB for the machine, 100 MiB long", "",
                "✓ web-1.0.qcow2          checksum, manifest · signature not checked",
                "✗ web-1.0.manifest.json: its content and its own digest differ",
                "✗ web-1.0.manifest.json: it is not signed",
            ])
    }

    @Test func `What a manifest says cannot command a terminal`() {
        let hostile = "\u{1b}[2J\u{202e}x\r\ny"
        var file = InspectedFile(hostile, .artifact)
        file.problems = [hostile]
        let digest = Digest(of: [1])
        let facts = BuildFacts(
            name: hostile, version: hostile, builder: hostile, definition: digest, plan: digest, packages: 1,
            steps: [.init(name: hostile, id: digest, reused: false, seconds: -1e300, made: 1e300)],
            boots: [.init(firmware: hostile, seconds: 1e300, accelerator: hostile, seen: hostile)], tools: [:],
            further: [hostile: hostile])
        let report = InspectionReport(
            Inspection(publications: [InspectedPublication(name: hostile, build: facts, files: [file])]))
        for line in report.lines(plain) {
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e }, "\(line.debugDescription)")
        }
    }

    @Test(arguments: [("x.tar", 0), ("x.qcow2", 1), ("missing", 66)])
    func `The exit status tells whether all is well`(name: String, status: Int32) async throws {
        try await Scratch.with { scratch in
            try Scratch.write("content", scratch.path.appending("x.tar"))
            try Scratch.write("no qcow2", scratch.path.appending("x.qcow2"))
            let result = try await CommandRunner().run(
                Command(
                    builtExecutable().string, ["inspect", scratch.path.appending(name).string],
                    environment: ["XDG_CACHE_HOME": scratch.path.appending("cache").string]))
            #expect(result.ending == .exited(status))
            #expect(Scratch.names(scratch.path) == ["x.qcow2", "x.tar"])
        }
    }
}
