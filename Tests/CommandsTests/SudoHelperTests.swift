import Glibc
import TestSupport
import Testing

@testable import Commands

@Suite struct SudoHelperTests {
    @Test(arguments: [
        ["chmod", "o+rwx", "/tmp/image-factory.AbC_-1/root"], ["chmod", "-R", "o-rx", "/tmp/image-factory.x/var/.a"],
        ["mount", "/dev/loop0", "/tmp/image-factory.x"], ["umount", "/tmp/image-factory.x"],
    ])
    func `What was allowed is understood, and not done`(arguments: [String]) {
        let joined = arguments.joined(separator: " ")
        #expect(
            SudoHelper.answer(arguments, isDry: true)
                == .init(output: "image-factory-sudo-helper: \(joined)\n", status: 0))
        let answer = SudoHelper.answer(arguments, isDry: false)
        #expect(answer.status == 1 && answer.output.isEmpty)
        #expect(answer.error.hasPrefix("image-factory-sudo-helper: '\(joined)' is not done: "))
    }

    @Test(arguments: [
        [], ["rm", "-rf", "/tmp/image-factory.x"], ["mount /dev/loop0 /tmp/image-factory.x"],
        ["mount", "/dev/loop0 /tmp/image-factory.x"], ["mount", "/dev/loop", "/tmp/image-factory.x"],
        ["mount", "/dev/sda", "/tmp/image-factory.x"], ["umount", "/tmp/image-factory."],
        ["umount", "/tmp/image-factory.x/../../etc"], ["umount", "/tmp/image-factory.x\n/etc"],
        ["chmod", "o+", "/tmp/image-factory.x"], ["chmod", "u+s", "/tmp/image-factory.x"],
        ["chmod", "-R", "o+r", "/tmp/image-factory.x", "/etc"], ["chmod", "o+r", "/etc/shadow"],
        ["umount", "-l", "/tmp/image-factory.x"],
    ])
    func `Anything else is refused as ever`(arguments: [String]) {
        for isDry in [true, false] {
            let answer = SudoHelper.answer(arguments, isDry: isDry)
            #expect(answer.status == 1 && answer.output.isEmpty)
            #expect(answer.error.hasSuffix("' not allowed.\n"))
        }
    }

    @Test func `A path over a link is refused`() {
        let place = "/tmp/image-factory.test-\(getpid())"
        mkdir(place, 0o700)
        symlink("/etc", place + "/link")
        defer {
            unlink(place + "/link")
            rmdir(place)
        }
        #expect(SudoHelper.answer(["umount", place], isDry: true).status == 0)
        #expect(SudoHelper.answer(["chmod", "o+r", place + "/link"], isDry: true).status == 1)
        #expect(SudoHelper.answer(["chmod", "o+r", place + "/link/shadow"], isDry: true).status == 1)
    }
}
