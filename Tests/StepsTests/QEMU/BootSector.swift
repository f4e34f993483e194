/// The smallest guests: a disk whose boot sector writes a text to the first serial port, then waits for ever.
/// SeaBIOS does not boot from disks of much less than 4 MiB.
enum BootSector {
    static func image(printing text: String) -> [UInt8] {
        let code: [UInt8] = [
            0x31, 0xc0, 0x8e, 0xd8,  // xor ax, ax; mov ds, ax
            0xbe, 0x22, 0x7c, 0xfc,  // mov si, text; cld
            0xac, 0x84, 0xc0, 0x74, 0x12,  // next: lodsb; test al, al; jz end
            0x88, 0xc3, 0xba, 0xfd, 0x03,  // mov bl, al; mov dx, 0x3fd
            0xec, 0xa8, 0x20, 0x74, 0xfb,  // wait: in al, dx; test al, 0x20; jz wait
            0xba, 0xf8, 0x03, 0x88, 0xd8, 0xee, 0xeb, 0xe9,  // mov dx, 0x3f8; mov al, bl; out dx, al; jmp next
            0xf4, 0xeb, 0xfd,  // end: hlt; jmp end
        ]
        let sector = code + Array(text.utf8)
        let padding = [UInt8](repeating: 0, count: 510 - sector.count)
        return sector + padding + [0x55, 0xaa] + [UInt8](repeating: 0, count: (4 << 20) - 512)
    }
}
