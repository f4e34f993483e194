import Testing

@testable import Records

@Suite struct LicenseExpressionTests {
    @Test(arguments: [
        (["Expat"], "MIT"), (["GPL-2+"], "GPL-2.0-or-later"), (["GPL-2"], "GPL-2.0-only"),
        (["LGPL-2.1+"], "LGPL-2.1-or-later"), (["gpl-3.0+"], "GPL-3.0-or-later"),
        (
            ["GFDL-NIV-1.3+"],
            "GFDL-1.3-no-invariants-or-later"
        ),
        (["GPL-3-or-later"], "GPL-3.0-or-later"), (["Apache-2"], "Apache-2.0"), (["Artistic"], "Artistic-1.0-Perl"),
        (["GPL-1+ or Artistic"], "(GPL-1.0-or-later OR Artistic-1.0-Perl)"),
        (["GPL-2 and Expat"], "(GPL-2.0-only AND MIT)"),
        (["GPL-2 or Expat and ISC"], "(GPL-2.0-only OR (MIT AND ISC))"),
        (["GPL-2 or Expat, and ISC"], "((GPL-2.0-only OR MIT) AND ISC)"),
        (["Expat", "GPL-2 or Expat", "Expat and ISC", "ISC"], "(MIT AND (GPL-2.0-only OR MIT) AND ISC)"),
        (["public-domain"], "LicenseRef-public-domain"), (["Expat and/or ISC"], "(MIT OR ISC)"),
    ])
    func `What Debian calls a licence is what SPDX calls it`(statements: [String], expression: String) {
        #expect(LicenseExpression.all(of: statements)?.text == expression)
    }

    @Test func `Nothing stated is nothing`() {
        #expect(LicenseExpression.all(of: []) == nil)
    }

    @Test func `A licence that SPDX does not know is a reference that tells its name`() {
        let expression = LicenseExpression.all(of: ["GPL-2+ with OpenSSL exception", "BSD~UC", "BSD-UC", "CORE-MATH"])
        let names = expression?.references ?? [:]
        #expect(Set(names.values) == ["GPL-2+ with OpenSSL exception", "BSD~UC", "BSD-UC", "CORE-MATH"])
        #expect(names["LicenseRef-CORE-MATH"] == "CORE-MATH")
        #expect(names["LicenseRef-BSD-UC"] == "BSD-UC")
        #expect(names.keys.allSatisfy { expression?.text.contains($0) == true })
    }
}
