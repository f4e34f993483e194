package import Model
import Yams

/// Whether a file is what Ubuntu's installer takes for its answers: user data of cloud-init with an `autoinstall` map.
/// What is in that map the installer checks by a schema that comes with it.
package enum AutoinstallCheck {
    private static let header = "#cloud-config"

    /// The faults of the file, in its order.
    ///
    /// - Parameter file: its name, for the faults.
    package static func problems(_ bytes: [UInt8], file: String) -> [Diagnostic] {
        let problems = YAMLProblems(file: file)
        let start = Place(line: 1, column: 1)
        if !bytes.starts(with: Array(header.utf8)) {
            problems.error(start, "the first line has to be '\(header)': cloud-init ignores the file without it")
        }
        if let root = YAMLLoad.node(bytes, problems) { check(root, problems) }
        return problems.sorted
    }

    private static func check(_ root: Node, _ problems: YAMLProblems) {
        guard case .mapping(let mapping) = root else {
            problems.error(YAMLLoad.place(root.mark), "the file has to be a map with the key 'autoinstall'")
            return
        }
        guard let answers = mapping["autoinstall"] else {
            problems.error(
                YAMLLoad.place(root.mark), "the key 'autoinstall' is missing: the installer would ask its questions")
            return
        }
        guard case .mapping(let known) = answers, let version = known["version"] else {
            problems.error(YAMLLoad.place(answers.mark), "'autoinstall' has to be a map with 'version: 1'")
            return
        }
        if version.scalar?.string != "1" {
            problems.error(YAMLLoad.place(version.mark), "the version of 'autoinstall' has to be 1")
        }
    }
}
