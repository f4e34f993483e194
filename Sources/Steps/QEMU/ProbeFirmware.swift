/// A firmware of 64 KiB that does what a kernel does in its first moments, to learn whether an accelerator can run
/// one: it goes from the reset vector into long mode with paging, takes a software interrupt, a page fault and timer
/// interrupts, swaps GS, visits ring 3 and works on memory. Every stage writes a mark to the debug console.
package enum ProbeFirmware {
    /// The marks of a run that ends well: real, protected and long mode, interrupt, fault, model-specific registers,
    /// user mode, timer, work.
    package static let marks = "RPLIFMUTW"

    /// QEMU's exit status after a run that ends well: isa-debug-exit makes 2 v + 1 of the value written.
    package static let status: Int32 = 0x10 * 2 + 1

    /// The image for QEMU's `-bios`: padding, 4 KiB that begin with the code, and the reset vector's jump to it.
    package static var image: [UInt8] {
        let size = 64 << 10
        let page = 4 << 10
        let resetVector = page - 16
        var last = code.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        last += [UInt8](repeating: 0, count: resetVector - last.count)
        let distance = UInt16(truncatingIfNeeded: -(resetVector + 3))
        last += [0xe9, UInt8(distance & 0xff), UInt8(distance >> 8)]
        last += [UInt8](repeating: 0, count: page - last.count)
        return [UInt8](repeating: 0xff, count: size - page) + last
    }
}
