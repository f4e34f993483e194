/// The short names of Debian's copyright files as SPDX knows them. What is not here becomes a reference.
enum LicenseNames {
    /// The SPDX identifier of a short name, in any case; nil if it has none.
    static func identifier(of name: String) -> String? {
        let name = name.lowercased()
        return families(name) ?? others[name]
    }

    /// GNU's, with a version and perhaps a plus: `GPL-2+`, `LGPL-2.1`, `GFDL-NIV-1.3+`.
    private static func families(_ name: String) -> String? {
        let isLater = name.hasSuffix("+") || name.hasSuffix("-or-later")
        var bare = Substring(name)
        for ending in ["+", "-or-later", "-only"] where bare.hasSuffix(ending) { bare = bare.dropLast(ending.count) }
        guard let dash = bare.lastIndex(of: "-") else { return nil }
        let version = String(bare[bare.index(after: dash)...])
        let suffix = isLater ? "or-later" : "only"
        switch (String(bare[..<dash]), version) {
        case ("gpl", "1"), ("gpl", "2"), ("gpl", "3"), ("lgpl", "2"), ("lgpl", "3"), ("agpl", "1"), ("agpl", "3"):
            return "\(bare[..<dash].uppercased())-\(version).0-\(suffix)"
        case ("gpl", "1.0"), ("gpl", "2.0"), ("gpl", "3.0"), ("lgpl", "2.0"), ("lgpl", "2.1"), ("lgpl", "3.0"),
            ("agpl", "3.0"), ("gfdl", "1.1"), ("gfdl", "1.2"), ("gfdl", "1.3"):
            return "\(bare[..<dash].uppercased())-\(version)-\(suffix)"
        case ("gfdl-niv", "1.1"), ("gfdl-niv", "1.2"), ("gfdl-niv", "1.3"):
            return "GFDL-\(version)-no-invariants-\(suffix)"
        default: return nil
        }
    }

    private static let others = [
        "0bsd": "0BSD", "afl-2.1": "AFL-2.1", "apache-1.0": "Apache-1.0", "apache-1.1": "Apache-1.1",
        "apache-2": "Apache-2.0", "apache-2.0": "Apache-2.0", "artistic": "Artistic-1.0-Perl",
        "artistic-2": "Artistic-2.0", "artistic-2.0": "Artistic-2.0", "beerware": "Beerware",
        "boost-1.0": "BSL-1.0", "bsd-1-clause": "BSD-1-Clause", "bsd-2-clause": "BSD-2-Clause",
        "bsd-3-clause": "BSD-3-Clause", "bsd-4-clause": "BSD-4-Clause", "bsd-4-clause-uc": "BSD-4-Clause-UC",
        "bsd-source-code": "BSD-Source-Code", "bsl-1.0": "BSL-1.0", "bzip2-1.0.6": "bzip2-1.0.6",
        "cc-by-3.0": "CC-BY-3.0", "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-3.0": "CC-BY-SA-3.0",
        "cc-by-sa-4.0": "CC-BY-SA-4.0", "cc0": "CC0-1.0", "cc0-1.0": "CC0-1.0", "cddl": "CDDL-1.0",
        "cddl-1.0": "CDDL-1.0", "curl": "curl", "epl-1.0": "EPL-1.0", "expat": "MIT", "fsfap": "FSFAP",
        "fsful": "FSFUL", "fsfullr": "FSFULLR", "ftl": "FTL", "hpnd": "HPND", "ijg": "IJG", "isc": "ISC",
        "libpng": "Libpng", "lppl-1.3c": "LPPL-1.3c", "mit": "MIT", "mit-0": "MIT-0", "mpl-1.1": "MPL-1.1",
        "mpl-2.0": "MPL-2.0", "ncsa": "NCSA", "ntp": "NTP", "ofl-1.1": "OFL-1.1", "openldap-2.8": "OLDAP-2.8",
        "openssl": "OpenSSL", "psf-2": "PSF-2.0", "psf-2.0": "PSF-2.0", "python-2.0": "Python-2.0",
        "qpl-1.0": "QPL-1.0", "tcl": "TCL", "unlicense": "Unlicense", "w3c": "W3C", "wtfpl": "WTFPL",
        "wtfpl-2": "WTFPL", "x11": "X11", "zlib": "Zlib", "zpl-2.1": "ZPL-2.1",
    ]
}
