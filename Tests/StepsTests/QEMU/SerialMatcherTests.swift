import Testing

@testable import Steps

@Suite struct SerialMatcherTests {
    private func signs(_ pieces: String...) -> [BootSign] {
        var matcher = SerialMatcher()
        return pieces.flatMap { matcher.signs(adding: Array($0.utf8)) }
    }

    @Test func `A login prompt is found in pieces and under escape sequences`() {
        #expect(signs("\u{1b}[0;32mDebian\u{1b}[0m ttyS0\r\n\ndebian lo", "gin", ": ") == [.loginPrompt])
    }

    @Test func `A login prompt is found when a kernel message follows it`() {
        #expect(signs("debian login: \r\n[   12.3] audit: backlog\r\n").contains(.loginPrompt))
    }

    @Test(arguments: ["Last login: ", "systemd-logind.service - User login Management\n", "login: no\n", "login\n"])
    func `What only speaks of logins is no prompt`(text: String) {
        #expect(signs(text) == [])
    }

    @Test func `The end of cloud-init is found`() {
        #expect(
            signs("Cloud-init v. 25.1.4 running 'init' at\nCloud-init v. 25.1.4 finished at Sat\n")
                == [.cloudInitFinished])
    }

    @Test func `A panic is told with its line, printable`() {
        #expect(
            signs("[  1.0] Kernel panic - not syncing: \u{7}VFS\r\n")
                == [.failure("the kernel panicked: [  1.0] Kernel panic - not syncing: \\x07VFS")])
    }

    @Test(arguments: [
        "No bootable device.\n", "BdsDxe: No bootable option or device was found.\n", "UEFI Interactive Shell v2.2\n",
        "grub rescue> ", "grub> ", "(initramfs) ", "Gave up waiting for root file system device.\n", "dracut:/# ",
        "Entering emergency mode. Exit the shell to continue.\n", "You are in emergency mode. After logging in\n",
    ])
    func `A guest that will get no further is recognized`(text: String) {
        let found = signs(text)
        guard case .failure = found.first else {
            Issue.record("nothing found in \(text)")
            return
        }
    }

    @Test func `A text without line breaks takes no memory`() {
        var matcher = SerialMatcher()
        let noise = [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(matcher.signs(adding: noise) == [])
        #expect(matcher.signs(adding: Array("\nx login: ".utf8)) == [.loginPrompt])
    }

    @Test func `The last lines are printable and without escape sequences`() {
        let bytes = Array("one\r\n\r\n\u{1b}[31mtwo\u{1b}[0m\u{8}\r\n\u{1b}]0;title\u{7}three".utf8)
        #expect(SerialText.lastLines(bytes, count: 2) == ["two\\x08", "three"])
    }
}

@Suite struct GuestWatchTests {
    private func progress(_ bytes: Int) -> GuestWatch.Progress {
        .init(serialBytes: bytes, diskBytes: 0, diskOperations: 0)
    }

    @Test func `Progress starts the clock anew`() {
        var watch = GuestWatch(clocks: GuestClocks(total: .seconds(100), noProgress: .seconds(10)))
        #expect(watch.judge(progress(0), at: .seconds(1)) == .fine)
        #expect(watch.judge(progress(1), at: .seconds(10)) == .fine)
        #expect(watch.judge(progress(1), at: .seconds(19)) == .fine)
        #expect(watch.judge(progress(1), at: .seconds(20)) == .stuck)
    }

    @Test func `The total time counts in spite of progress`() {
        var watch = GuestWatch(clocks: GuestClocks(total: .seconds(2), noProgress: .seconds(10)))
        #expect(watch.judge(progress(1), at: .seconds(1)) == .fine)
        #expect(watch.judge(progress(2), at: .seconds(2)) == .late)
    }
}
