import Model
import Testing

@testable import Records

@Suite struct FieldTests {
    @Test(arguments: [
        ("libstdc++6", "12.2.0-14", "amd64", "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=trixie"),
        ("vim", "2:9.1.1230-2", "amd64", "pkg:deb/debian/vim@2:9.1.1230-2?arch=amd64&distro=trixie"),
        ("tzdata", "2025b~rc1+deb13u1", "all", "pkg:deb/debian/tzdata@2025b~rc1%2Bdeb13u1?arch=all&distro=trixie"),
        ("a?b", "1&c=d", "x#y", "pkg:deb/debian/a%3Fb@1%26c%3Dd?arch=x%23y&distro=trixie"),
    ])
    func `A package has the URL that other tools expect`(
        name: String, version: String, architecture: String, url: String
    ) {
        let package = InstalledPackage(name: name, version: version, architecture: architecture)
        #expect(PackageURL.of(package, distribution: "debian", suite: "trixie") == url)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"), (1_763_199_635, "2025-11-15T09:40:35Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"), (UInt64.max, "9999-12-31T23:59:59Z"),
    ])
    func `A time is written as the documents want it`(seconds: UInt64, text: String) {
        #expect(Timestamp.text(seconds) == text)
    }

    @Test(arguments: [
        ("Matthias Klose <doko@debian.org>", "Person: Matthias Klose (doko@debian.org)"),
        (
            "Debian GCC Maintainers <debian-gcc@lists.debian.org>",
            "Organization: Debian GCC Maintainers (debian-gcc@lists.debian.org)"
        ),
        ("A (B) C <x@y>", "Person: A [B] C (x@y)"), ("Someone", "Person: Someone"),
    ])
    func `A maintainer is the supplier`(maintainer: String, supplier: String) {
        #expect(Supplier.text(maintainer) == supplier)
    }

    @Test(arguments: ["", "  ", "<x@y>"]) func `A maintainer without a name is none`(maintainer: String) {
        #expect(Supplier.text(maintainer) == nil)
    }

    @Test(arguments: [
        ("https://www.gnu.org/software/bash/?a=b&c#d", false), ("https://www.gnu.org/software/bash/?a=b&c", true),
        ("http://example.org", true), ("http://example.org:80/x", true), ("ftp://example.org/", false),
        ("https://", false),
        ("https://localhost/", false), ("https://a.org/%2f", true), ("https://a.org/%2", false),
        ("https://a b.org/", false), ("https://a.org/\"", false),
        ("https://.org/", false),
    ])
    func `Only what everyone takes for an address of the web is one`(text: String, isOne: Bool) {
        #expect(WebAddress.isOne(text) == isOne)
    }
}
