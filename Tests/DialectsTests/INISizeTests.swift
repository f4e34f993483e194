import Model
import Testing

@testable import Dialects

/// The sizes that image-factory 1.0.2 took for memory and those that qemu-img took for its disks.
@Suite struct INISizeTests {
    @Test(arguments: [
        ("1G", 1 << 30), ("1K", 1024), ("2 TB", 2_000_000_000_000), ("1kB", 1000), ("512 MiB", 512 << 20),
        ("1KiB", 1024), ("0B", 0), ("10B", 10), ("10b", 10), ("1k", 1024), ("1g", 1 << 30), ("1.5G", 1_610_612_736),
        ("5", 5), (" 1G ", 1 << 30), ("1EiB", 1 << 60), ("1EB", 1_000_000_000_000_000_000), ("7E", 7 << 60),
        (".5K", 512), ("0.1K", 102), ("1PB", 1_000_000_000_000_000), ("1\tGiB", 1 << 30),
    ])
    func `A size of either kind is a number of bytes`(text: String, bytes: Int) {
        #expect(ByteCount(iniSize: text)?.bytes == UInt64(bytes))
    }

    @Test(arguments: [
        "", "-1G", "+1G", "1KB", "1kiB", "1XB", "G", ".", "1.5", "1.5B", "1,5G", "8E", "99999999999999999999", "16EiB",
        "1G1", "1 G B", "0x10", "1e3", "\u{0661}G", "1GIB", "1gb", "1ﬁB", "NaN", "inf",
    ])
    func `What is neither is refused`(text: String) {
        #expect(ByteCount(iniSize: text) == nil)
    }
}
