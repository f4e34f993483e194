import Glibc
import Model
import SystemPackage
import Tooling

/// The firmware of a guest, with variables of its own.
enum GuestFirmware {
    /// Copies what the guest writes to into `folder`, which QEMU sees at the path `inside`.
    static func prepare(
        _ firmware: GuestImage.Firmware, in folder: FilePath, at inside: String, tools: ToolInventory
    ) throws -> Machine.Firmware {
        guard firmware == .uefi else { return .bios }
        let files = try tools.require(.uefiFirmware)
        guard files.count > 1 else { return .uefi(code: files[0].string, variables: nil) }
        let copy = folder.appending("variables.fd")
        do {
            // Firmware files are links in some distributions, so they may be followed.
            let source = try FileDescriptor.open(files[1], .readOnly, options: .closeOnExec)
            let bytes = try source.closeAfter { try SmallFile.contents(of: source) }
            try SmallFile.create(copy, bytes)
        } catch let problem as Errno {
            throw FactoryError(.inputOutput, "cannot copy \(files[1]): \(problem)")
        }
        try Containment.handOver(copy)
        return .uefi(code: files[0].string, variables: inside + "/variables.fd")
    }
}
