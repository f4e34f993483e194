import Model
import Steps

extension InspectedFile {
    /// Takes over what an artifact's header says.
    mutating func describe(_ found: HeaderReport) {
        // A tar file is one by its name: to a reader of disks it has no header.
        let isTar = found.format == "raw" && file.hasSuffix(".tar")
        format = isTar ? "tar" : found.format
        header = found.details
        virtualSize = isTar ? nil : found.virtualSize
        let expected = Output.Format(
            rawValue: PublishedName(file).map { String(file.dropFirst($0.stem.count + 1)) } ?? "")
        if let expected, !isTar, format != expected.headerName {
            problems.append("its name says that it is \(expected.rawValue), its content that it is \(format ?? "")")
        }
        if !isTar { problems += found.hazards.map { "it is not safe to use: \($0)" } }
    }
}

extension Output.Format {
    /// What a header says of such a file.
    fileprivate var headerName: String {
        switch self {
        case .tarZstd: "zstd"
        case .raw, .qcow2, .vmdk, .vhd, .vhdx, .vdi, .tar: rawValue
        }
    }
}
