package import Model
import Yams

/// Whether the files of a seed for cloud-init are YAML where they have to be. What cloud-init makes of them shows in the
/// guest, so all that is found is a warning.
package enum CloudConfigCheck {
    private static let header = "#cloud-config"

    /// The faults of user-data or vendor-data, in their order; none for other kinds than cloud-config.
    ///
    /// - Parameter file: its name, for the faults.
    package static func warnings(_ bytes: [UInt8], file: String) -> [Diagnostic] {
        let line = String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
        guard line.hasPrefix(header), !["-archive", "-jsonp"].contains(where: { line.hasPrefix(header + $0) }) else {
            return []
        }
        return mapWarnings(bytes, file: file)
    }

    /// The faults of a file that is a map in YAML: meta-data, network-config.
    package static func mapWarnings(_ bytes: [UInt8], file: String) -> [Diagnostic] {
        let problems = YAMLProblems(file: file)
        let hasContent = bytes.split(separator: 0x0a).contains { line in
            line.first { $0 != 0x20 && $0 != 0x0d }.map { $0 != UInt8(ascii: "#") } ?? false
        }
        guard hasContent else { return [] }
        if let root = YAMLLoad.node(bytes, problems), root.mapping == nil {
            problems.error(YAMLLoad.place(root.mark), "cloud-init takes a map of keys here, and ignores anything else")
        }
        return problems.sorted.map { fault in
            Diagnostic(file: file, line: fault.line, column: fault.column, .warning, fault.message)
        }
    }
}
