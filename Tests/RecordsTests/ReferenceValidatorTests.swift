import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Records

/// The documents under the eyes of the formats' own implementations, which `scripts/setup` installs. Without them the
/// tests fail: a document that nobody has validated is not known to be valid.
@Suite struct ReferenceValidatorTests {
    private func validate(_ files: [(String, String)]) async throws -> CommandResult {
        try await Scratch.with { scratch in
            for (name, text) in files { try Scratch.write(text, scratch.path.appending(name)) }
            let python = RepositoryFiles.root.appending(".build/validators/bin/python").string
            let script = RepositoryFiles.root.appending("scripts/validate-records").string
            return try await CommandRunner().run(
                Command(python, [script] + files.map { scratch.path.appending($0.0).string }, timeout: .seconds(120)))
        }
    }

    private static let bill = ImageRecord.File(name: "web-1.0.sbom.spdx.json", digest: Record.digest("bill"))

    @Test(arguments: ["plain", "hostile"])
    func `The documents are valid whatever packages say`(name: String) async throws {
        let record = name == "plain" ? Record.plain : Record.hostile
        let result = try await validate([
            ("x.spdx.json", try BillOfMaterials.text(record)),
            ("x.provenance.json", try Provenance.text(record, bill: Self.bill)),
        ])
        #expect(result.succeeded, "\(result.lastLines.joined(separator: "\n"))")
    }

    @Test func `The validators find what is wrong`() async throws {
        let bill = try BillOfMaterials.text(Record.plain)
        let provenance = try Provenance.text(Record.plain, bill: Self.bill)
        func replaced(_ text: String, _ old: String, _ new: String) -> String {
            text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        }
        let wrong = [
            ("a.spdx.json", replaced(bill, "GPL-3.0-or-later", "GPL-4711")),
            ("b.spdx.json", replaced(bill, "SPDXRef-Image", "SPDXRef Image")),
            (
                "c.spdx.json",
                replaced(bill, "\"licenseId\" : \"LicenseRef-public", "\"licenseId\" : \"LicenseRef-other")
            ),
            ("a.provenance.json", replaced(provenance, "\"subject\"", "\"subjects\"")),
            ("b.provenance.json", replaced(provenance, "\"byproducts\"", "\"products\"")),
            ("c.provenance.json", replaced(provenance, "urn:x-image-factory:build:1", "")),
        ]
        for file in wrong {
            let result = try await validate([file])
            #expect(result.ending == .exited(1), "\(file.0)")
        }
    }
}
