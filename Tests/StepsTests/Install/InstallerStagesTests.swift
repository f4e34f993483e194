import SystemPackage
import TestSupport
import Testing

@testable import Steps

@Suite struct InstallerStagesTests {
    @Test(arguments: [
        // The Debian installer's log and screens.
        ("Nov 21 10:02:11 main-menu[312]: INFO: Menu item 'partman-base' selected", "partitioning the disk"),
        ("Nov 21 10:02:11 main-menu[312]: INFO: Menu item 'bootstrap-base' selected", "installing the base system"),
        ("Nov 21 10:12:11 in-target: Unpacking openssh-server (1:10.0p1-7) ...", "unpacking: openssh-server"),
        ("Nov 21 10:12:11 in-target: Setting up libc6:amd64 (2.41-12) ...", "setting up: libc6"),
        ("Setting up openssh-client (1:10.0p1-7) ...", "setting up: openssh-client"),
        ("Retrieving libpam0g", "downloading: libpam0g"),
        ("Installing GRUB boot loader ...", "installing the boot loader"),
        ("update-initramfs: Generating /boot/initrd.img-6.12.57-amd64", "generating the initramfs"),
        // Anaconda.
        ("Starting installer, one moment...", "starting the installer"),
        ("anaconda: Installing glibc-common.x86_64 (12/410)", "installing: glibc-common"),
        ("Performing post-installation setup tasks", "finishing the installation"),
        ("Creating disklabel on /dev/vda", "partitioning the disk"),
        // YaST.
        ("Installing Packages...", "installing packages"), ("Installing bash-5.2 (4.0 MiB)", "installing: bash-5.2"),
        // Subiquity.
        ("start: subiquity/Install/install/curtin_install: installing system", "installing the base system"),
        ("executing curtin install curthooks step", "configuring the system"),
        ("subiquity/Install/install/postinstall: final system configuration", "finishing the installation"),
    ]) func `Lines tell the stage`(line: String, text: String) {
        var stages = InstallerStages()
        let stage = stages.read(line)
        #expect(stage?.description == text)
    }

    @Test(arguments: [
        "[    1.234567] virtio_blk virtio0: 1/0/0 default/read/poll queues", "", "Installing 12 packages",
        "Installing ...", "Unpacking ", "Retrieving \u{1b}[31m", "Setting up /etc/passwd",
    ]) func `Other lines tell none`(line: String) {
        var stages = InstallerStages()
        let stage = stages.read(line)
        #expect(stage == nil)
    }

    @Test func `A stage is told once`() {
        var stages = InstallerStages()
        let told = [
            "Installing the base system", "Installing the base system 20%", "Setting up bash (5.2) ...",
        ].map { stages.read($0)?.description }
        #expect(told == ["installing the base system", nil, "setting up: bash"])
    }
}

@Suite struct InstallerConsoleTests {
    @Test func `Windows on a console become lines of plain text`() {
        var lines = ScreenLines()
        let screen =
            "\u{1b}[2J\u{1b}[37m\u{1b}[44m\u{1b}[3;20HInstalling the system...\u{1b}[5;10H\u{1b}[1m 33% \u{1b}[0m\r"
        let found = lines.adding(Array(screen.utf8))
        #expect(found == ["Installing the system...", " 33% "])
    }

    @Test func `Control characters of a console are shown, not obeyed`() {
        var lines = ScreenLines()
        let found = lines.adding(Array("a\u{07}b\u{08}\n".utf8))
        #expect(found == ["a\\x07b\\x08"])
    }

    @Test func `A line without an end is cut`() {
        var lines = ScreenLines()
        let found = lines.adding([UInt8](repeating: 0x78, count: 1100) + [0x0a])
        #expect(found.map(\.count) == [512, 512, 76])
    }

    @Test func `A flood of lines is shown in part, and the rest is counted`() {
        var budget = LineBudget()
        let start = ContinuousClock.now
        let shown = (0..<5000).count { _ in budget.allows(at: start) }
        #expect(shown == 2000)
        let before = budget.takeOmitted()
        let next = budget.allows(at: start + .seconds(1))
        let counts = [before, budget.takeOmitted(), budget.takeOmitted()]
        #expect(next)
        #expect(counts == [0, 3000, 0])
    }

    @Test func `A question of the installer is a failure only where nobody can answer`() {
        let screen = Array("\u{1b}[2J\u{1b}[5;10H[!!] An installation step failed\u{1b}[7;10H".utf8)
        var alone = SerialMatcher(SerialMatcher.installer(isAttended: false))
        var watched = SerialMatcher(SerialMatcher.installer(isAttended: true))
        let (lonely, observed) = (alone.signs(adding: screen), watched.signs(adding: screen))
        #expect(lonely == [.failure("a step of the installer failed: [!!] An installation step failed")])
        #expect(observed == [])
    }

    @Test func `An error that an installer without windows shows is told in its words`() {
        var matcher = SerialMatcher(SerialMatcher.installer(isAttended: false))
        let screen = "\r\n!! ERROR: Unable to install GRUB in /dev/vda\r\n\r\n[Press enter to continue] "
        let signs = matcher.signs(adding: Array(screen.utf8))
        #expect(
            signs == [
                .failure("the installer failed: !! ERROR: Unable to install GRUB in /dev/vda"),
                .failure("the installer waits for somebody"),
            ])
    }

    @Test func `Only the whole line says that an installation is done`() {
        let words = SerialMatcher.installationFinished
        for (text, signs) in [
            ("\(words)\r\n", [BootSign.installationFinished]), ("echo '\(words)' > /dev/ttyS1\n", []),
            ("\(words)", []), ("x \(words)\n", []),
        ] {
            var matcher = SerialMatcher(SerialMatcher.report)
            let found = matcher.signs(adding: Array(text.utf8))
            #expect(found == signs)
        }
    }

    @Test func `The log of a console has a limit, its signs have none`() async throws {
        try await Scratch.with { scratch in
            let log = scratch.path.appending("serial.log")
            let recorder = try SerialRecorder(
                log: log, rules: SerialMatcher.installer(isAttended: false), logLimit: 1024, onBytes: { _ in })
            for _ in 0..<100 { recorder.append(Array("the same message\n".utf8)) }
            recorder.append(Array("write error: No space left on device\nKernel panic - not syncing\n".utf8))
            #expect(recorder.clues == [.diskFull])
            #expect(recorder.signs == [.failure("the kernel panicked: Kernel panic - not syncing")])
            let text = try Scratch.read(log)
            #expect(text.utf8.count < 1200)
            #expect(text.hasSuffix("[the rest is not kept: the log has reached 1.0 KiB]\n"))
        }
    }

    @Test func `A login prompt on an installer's console means nothing`() {
        var matcher = SerialMatcher(SerialMatcher.installer(isAttended: false))
        let found = matcher.signs(adding: Array("\nlogin: ".utf8))
        #expect(found == [])
    }
}
