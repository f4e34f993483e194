import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Steps

@Suite struct PackageFactsTests {
    @Test func `The facts of packages are read, sorted by name`() throws {
        let packages = try PackageFacts.parse(
            """
            vim\t2:9.1-1\tamd64\tii \tvim\t2:9.1-1\thttps://www.vim.org/\tDebian Vim Maintainers <vim@example.org>
            old\t1\tall\trc \told\t1\t\tNobody <n@example.org>
            libc6\t2.41-12\tamd64\thi \tglibc\t2.41-12\t\tA\twith a tab <a@example.org>
            a line of its own
            """)
        #expect(packages.map(\.name) == ["libc6", "vim"])
        #expect(packages[0].source == "glibc" && packages[0].homepage == nil)
        #expect(packages[0].maintainer == "A\twith a tab <a@example.org>")
        #expect(packages[1].homepage == "https://www.vim.org/" && packages[1].sourceVersion == "2:9.1-1")
    }

    @Test func `A package that is not fully installed is told`() {
        let error = #expect(throws: FactoryError.self) {
            try PackageFacts.parse("vim\t1\tamd64\tiU \tvim\t1\t\tX")
        }
        #expect(error?.message == "the package vim is not fully installed (iU )")
    }
}

@Suite struct CopyrightFileTests {
    private static let format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"

    @Test func `The licences of a machine-readable file are found, each once`() {
        let text =
            Self.format + """
                Upstream-Name: x
                License: GPL-2+

                Files: *
                Copyright: 2020 A
                license:  Expat   or\tISC\u{20}
                 License: not a field but text

                Files: debian/*
                License: GPL-2+

                License:
                License: GPL-2+
                 The text.
                """
        #expect(CopyrightFile.licenses(in: Array(text.utf8)) == ["Expat or ISC", "GPL-2+"])
    }

    @Test(arguments: [
        "", "This package was debianized by A.\n\nLicense: GPL\n", "\n\n", "Format: of my own\nLicense: GPL\n",
        "License: GPL-2\nFormat: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n",
    ])
    func `What is not machine-readable says nothing`(text: String) {
        #expect(CopyrightFile.licenses(in: Array(text.utf8)) == nil)
    }

    @Test func `A file that says too much says nothing`() {
        let many = (0..<300).map { "License: L\($0)\n" }.joined()
        let long = "License: " + String(repeating: "x", count: 300) + "\n"
        for text in [many, long] { #expect(CopyrightFile.licenses(in: Array((Self.format + text).utf8)) == nil) }
        #expect(
            CopyrightFile.licenses(in: Array(Self.format.utf8) + Array("License: \u{ff}".utf8) + [0xff, 0xfe]) != nil)
    }

    @Test func `Only a regular file inside the tree is read`() async throws {
        try await Scratch.with { scratch in
            try Scratch.write(Self.format + "License: ISC\n", scratch.path.appending("outside"))
            let path = scratch.path.appending("tree")
            let docs = "usr/share/doc"
            mkdir(path.string, 0o755)
            let tree = try TreeRoot(path)
            for name in ["pipe", "out", "folder", "good", "linked"] where name != "linked" {
                try tree.makeFolder("/\(docs)/\(name)")
            }
            try tree.makeFolder("/\(docs)/folder/copyright")
            try tree.write(Self.format + "License: ISC\n", to: "/\(docs)/good/copyright")
            mkfifo(path.appending("\(docs)/pipe/copyright").string, 0o644)
            symlink("../../../../../outside", path.appending("\(docs)/out/copyright").string)
            symlink("good", path.appending("\(docs)/linked").string)
            for name in ["pipe", "out", "folder", "none"] {
                let found = try CopyrightFile.licenses(of: name, in: tree)
                #expect(found == nil, "\(name)")
            }
            for name in ["good", "linked"] {
                let found = try CopyrightFile.licenses(of: name, in: tree)
                #expect(found == ["ISC"], "\(name)")
            }
            let cut = try tree.read("/\(docs)/good/copyright", atMost: 10)
            #expect(cut == nil)
        }
    }
}
