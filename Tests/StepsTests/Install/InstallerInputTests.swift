import Model
import SystemPackage
import TestSupport
import Testing

@testable import Steps

private let digest = Digest(of: [])

private func action(
    _ kinds: [AnswerFile.Kind] = [.preseed], append: String = "", names: [String]? = nil
) -> InstallAction {
    InstallAction(
        medium: .image(digest),
        answers: kinds.enumerated().map {
            .init(kind: $1, name: names?[$0] ?? "answers-\($0)", digest: digest)
        }, append: append, disk: .gibi(2), firmware: .bios, memory: .gibi(1), processors: 2, mac: nil,
        hypervisor: .qemu, network: .proxy, day: "2026-11-21")
}

@Suite struct InstallerCommandLineTests {
    @Test(arguments: [
        (AnswerFile.Kind.preseed, "preseed/url=file:///answers-0"),
        (.kickstart, "inst.ks=file:///answers-0 ks=file:///answers-0"), (.autoyast, "autoyast=file:///answers-0"),
        (.autoinstall, "autoinstall ds=nocloud"),
    ]) func `Each kind of answers is told of in its way`(kind: AnswerFile.Kind, words: String) throws {
        let line = try InstallerCommandLine.text(action([kind], append: "a=1 console=ttyS0  b"), isWatched: false)
        #expect(line == words + " a=1 console=ttyS0  b")
    }

    @Test func `Several answer files are all told of`() throws {
        let line = try InstallerCommandLine.text(
            action([.preseed, .kickstart, .autoyast], append: "console=ttyS0"), isWatched: false)
        #expect(
            line == "autoyast=file:///answers-2 inst.ks=file:///answers-1 ks=file:///answers-1 "
                + "preseed/url=file:///answers-0 console=ttyS0")
    }

    @Test func `Without a console in 'append' the serial port is it, and the screen where somebody looks at it`() throws
    {
        #expect(
            try InstallerCommandLine.text(action(append: "quiet"), isWatched: false)
                == "preseed/url=file:///answers-0 console=tty0 console=ttyS0,115200 quiet")
        #expect(
            try InstallerCommandLine.text(action(), isWatched: true)
                == "preseed/url=file:///answers-0 console=ttyS0,115200 console=tty0")
    }

    @Test func `A line that a kernel would cut is refused`() {
        let long = String(repeating: "x", count: 2048)
        #expect(throws: FactoryError.self) { try InstallerCommandLine.text(action(append: long), isWatched: false) }
    }
}

@Suite struct InstallerAnswersTests {
    private func answers(_ action: InstallAction, _ text: String) async throws -> InstallerAnswers {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("answers")
            try Scratch.write(text, file)
            return try InstallerAnswers(action, localFiles: [digest: file])
        }
    }

    @Test func `Answers lie in an archive for the initrd, those of autoinstall on a disk of their own`() async throws {
        let preseed = try await answers(action([.preseed], names: ["web.cfg"]), "d-i")
        #expect(String(decoding: try preseed.archive(), as: UTF8.self).contains("web.cfg\0"))
        #expect(try preseed.seed() == nil)
        let auto = try await answers(action([.autoinstall], names: ["user-data"]), "#cloud-config\n")
        #expect(try auto.archive() == [])
        let seed = String(decoding: try #require(try auto.seed()), as: UTF8.self)
        #expect(seed.contains("user-data") && seed.contains("meta-data") && seed.contains("#cloud-config\n"))
    }

    @Test func `Two files of one name are refused`() async {
        await #expect {
            _ = try await answers(action([.preseed, .kickstart], names: ["a", "a"]), "")
        } throws: {
            ($0 as? FactoryError)?.message == "two answer files are called a"
        }
    }

    @Test(arguments: [
        ("echo 'image-factory: installation finished' > /dev/ttyS1", true), ("image-factory: installation", false),
        ("", false),
    ]) func `Answers that say the word are waited for`(text: String, expected: Bool) async throws {
        #expect(try await answers(action(), text).saysFinished == expected)
    }
}

@Suite struct InitrdFileTests {
    @Test(arguments: [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)])
    func `The archive begins at a multiple of four`(size: Int, zeroes: Int) async throws {
        try await Scratch.with { scratch in
            let (source, target) = (scratch.path.appending("a"), scratch.path.appending("b"))
            try Scratch.write(String(repeating: "x", count: size), source)
            let input = try FileDescriptor.open(source, .readOnly)
            try input.closeAfter {
                let output = try FileDescriptor.open(
                    target, .writeOnly, options: .create, permissions: .ownerReadWrite)
                try output.closeAfter {
                    try InitrdFile.write(input, Array("070701".utf8), to: output, checkCancellation: {})
                }
            }
            #expect(
                try Scratch.read(target)
                    == String(repeating: "x", count: size) + String(repeating: "\0", count: zeroes) + "070701")
        }
    }
}
