import CLinux
import Glibc
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct ConsoleKeysTests {
    @Test func `What is typed goes to the guest`() {
        var keys = ConsoleKeys()
        #expect(keys.actions(for: Array("ls\r\u{3}".utf8)) == [.type(Array("ls\r\u{3}".utf8))])
    }

    @Test func `The escape works across reads`() {
        var keys = ConsoleKeys()
        #expect(keys.actions(for: Array("a\u{1d}".utf8)) == [.type([0x61])])
        #expect(keys.actions(for: Array("q".utf8)) == [.quit])
    }

    @Test func `The power button lies between what is typed before and after`() {
        var keys = ConsoleKeys()
        #expect(keys.actions(for: Array("a\u{1d}pb".utf8)) == [.type([0x61]), .powerDown, .type([0x62])])
    }

    @Test func `The escape key itself can be typed`() {
        var keys = ConsoleKeys()
        #expect(keys.actions(for: [0x1d, 0x1d, 0x1d, 0x78]) == [.type([0x1d, 0x1d, 0x78])])
    }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct InteractiveConsoleTests {
    private let runner = CommandRunner(helper: builtExecutable())

    @Test func `The console shows the guest until the escape`() async throws {
        try await withTemporaryFolder { folder in
            let disk = folder.appending("disk.raw")
            try writeFile(BootSector.image(printing: "\r\nhello login: "), to: disk)
            let (near, far) = try openTerminal()
            defer {
                close(near)
                close(far)
            }
            let before = settings(far)
            let terminal = FileDescriptor(rawValue: far)
            let console = InteractiveConsole(
                runner: runner, tools: ToolInventory(runner: runner), scratch: folder, input: terminal,
                output: terminal)
            let notes = Mutex<[String]>([])
            let user = Task { try await useTerminal(near, until: "hello login: ", keys: "\u{1d}q") }
            try await console.run(GuestImage(file: disk, format: .raw, memory: .mebi(64)), accelerator: .tcg) { note in
                notes.withLock { $0.append(note) }
            }
            let wasRaw = try await user.value
            #expect(wasRaw)
            #expect(settings(far) == before)
            #expect(notes.withLock { $0.count } == 2)
            #expect(names(in: folder) == ["disk.raw"])
        }
    }

    @Test func `A free port can be used`() throws {
        #expect(try LoopbackPort.free() > 1023)
    }

    private func openTerminal() throws -> (Int32, Int32) {
        // posix_openpt and its relatives are hidden from the Glibc module; these are the requests they make.
        let unlock: UInt = 0x4004_5431
        let number: UInt = 0x8004_5430
        let near = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var locked: CInt = 0
        var index: CInt = 0
        try #require(near >= 0 && ioctl(near, unlock, &locked) == 0 && ioctl(near, number, &index) == 0)
        let name = "/dev/pts/\(index)"
        let far = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(far >= 0)
        return (near, far)
    }

    /// The flags that raw mode changes.
    private func settings(_ terminal: Int32) -> [UInt32] {
        var value = termios()
        tcgetattr(terminal, &value)
        return [value.c_iflag, value.c_oflag, value.c_cflag, value.c_lflag]
    }

    /// Waits for the text, then types the keys. Returns whether keys went through unchanged then.
    private func useTerminal(_ near: Int32, until text: String, keys: String) async throws -> Bool {
        _ = fcntl(near, F_SETFL, O_NONBLOCK)
        var seen: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<1000 {
            let count = read(near, &buffer, buffer.count)
            if count > 0 { seen += buffer[..<count] }
            if String(decoding: seen, as: UTF8.self).contains(text) {
                let isRaw = settings(near)[3] & UInt32(ICANON | ISIG | ECHO) == 0
                _ = write(near, keys, keys.utf8.count)
                return isRaw
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        _ = write(near, keys, keys.utf8.count)
        return false
    }
}
