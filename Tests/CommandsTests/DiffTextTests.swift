import Model
import Testing

@testable import Commands

@Suite struct DiffTextTests {
    private let raw = DiffReport.Side(format: "raw", size: .mebi(100), fileSize: .mebi(100))
    private let qcow2 = DiffReport.Side(format: "qcow2", size: .mebi(100), fileSize: .mebi(20))

    private func text(_ report: DiffReport, isShort: Bool = false, unicode: Bool = true) -> String {
        let traits = TerminalTraits(canRedraw: false, unicode: unicode, color: false)
        return DiffText(report, "a", "b", traits: traits).text(isShort: isShort)
    }

    @Test func `Equal images take one line, or two if the files differ, or none`() {
        var report = DiffReport(first: raw, second: raw, isEqual: true, filesAreEqual: true)
        #expect(text(report) == "a and b are the same\n")
        #expect(text(report, isShort: true) == "")
        report.second = qcow2
        report.filesAreEqual = false
        #expect(
            text(report) == """
                a and b have the same disk
                the files themselves differ: one is raw, the other qcow2 (100 MiB and 20.0 MiB)

                """)
    }

    @Test func `The first region is told, the others are counted with their files`() {
        var report = DiffReport(first: raw, second: raw, isEqual: false, filesAreEqual: false)
        report.regionsLookedAt = 2
        report.regions = [
            .init(
                offset: 5120, length: 512, sectors: 1, place: "partition 1 'root' (ext4)", offsetInPlace: 1024,
                parts: [.init("inode 12", paths: ["/etc/x"], changes: ["mode: 0100644 → 0100600"])],
                sample: .init(offset: 5121, first: [0x41, 0], second: [0x42, 0xff]))
        ]
        report.places = [
            .init(place: "partition 1 'root' (ext4)", regions: 3, sectors: 7, paths: ["/etc/x", "/etc/y"])
        ]
        #expect(
            text(report) == """
                a and b differ: 3 regions, 3.5 KiB in all
                byte 5120 (sector 10), 512 B
                  in partition 1 'root' (ext4), from byte 1024 of it on
                  inode 12: /etc/x
                    mode: 0100644 → 0100600
                  first differing byte 5121 of the disk:
                    < 41 00  |A.|
                    > 42 ff  |B.|
                all 3 regions, with files of the first 2:
                  partition 1 'root' (ext4): 3 regions, 3.5 KiB
                    /etc/x
                    /etc/y
                --regions 3 tells more of them in detail

                """)
        #expect(text(report, isShort: true) == "a and b differ: 3 regions, 3.5 KiB in all\n")
        #expect(text(report, unicode: false).contains("mode: 0100644 -> 0100600"))
    }

    @Test func `Members of archives are told and counted`() {
        var report = DiffReport(first: raw, second: raw, isEqual: false, filesAreEqual: false)
        report.first.format = "tar"
        report.entries = [.init(path: "/x\\x1b", only: .second)]
        report.differingEntries = 4
        report.equalEntries = 6
        #expect(
            text(report) == """
                a and b differ: 4 of 10 members
                /x\\x1b (only in b)
                and 3 further members; --regions 4 tells all

                """)
    }
}
