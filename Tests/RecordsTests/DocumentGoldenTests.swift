import Model
import TestSupport
import Testing

@testable import Records

@Suite struct DocumentGoldenTests {
    @Test func `A bill of materials is the one that was agreed on`() throws {
        let text = try BillOfMaterials.text(Record.plain)
        #expect(text == (try Golden.expected("web.sbom.spdx.json", for: text)))
    }

    @Test func `A provenance statement is the one that was agreed on`() throws {
        let bill = ImageRecord.File(name: "web-1.0.sbom.spdx.json", digest: Record.digest("bill"))
        let text = try Provenance.text(Record.plain, bill: bill)
        #expect(text == (try Golden.expected("web.provenance.json", for: text)))
    }

    @Test func `Another artifact is another document`() throws {
        var other = Record.plain
        other.artifacts[0].digest = Record.digest("another")
        #expect(other.identity != Record.plain.identity)
        let texts = try [Record.plain, other].map { try BillOfMaterials.text($0) }
        let namespaces = texts.map { $0.split(separator: "\n").first { $0.contains("documentNamespace") } }
        #expect(namespaces[0] != nil && namespaces[0] != namespaces[1])
    }

    @Test func `Each package has an id of its own`() throws {
        struct Bill: Decodable {
            struct Package: Decodable { var SPDXID: String }
            var packages: [Package]
        }
        var record = Record.plain
        record.packages = ["a+", "a-2b", "a-2B", "a.", "a", "a-amd64", "libc++1"].map {
            Record.package($0, "1", licenses: nil)
        }
        let bill = try Canonical.decode(Bill.self, from: Array(try BillOfMaterials.text(record).utf8))
        #expect(Set(bill.packages.map(\.SPDXID)).count == 1 + 2 + 7)
    }
}
