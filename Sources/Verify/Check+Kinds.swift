import Filesystems
import Model

extension Check {
    /// Nothing of these names is there. What the definition declares may be.
    static func absent(_ patterns: String..., verdict: VerifyFinding.Verdict? = nil) -> Check {
        Check("absent", verdict: verdict) { image in
            patterns.flatMap(image.tree.match).filter { !image.isDeclared($0.path) }.map {
                Observation("\($0.path)", "it is there")
            }
        }
    }

    /// These are not there, or files without content or folders without entries.
    static func absentOrEmpty(_ patterns: String..., verdict: VerifyFinding.Verdict? = nil) -> Check {
        Check("empty", verdict: verdict) { image in
            patterns.flatMap(image.tree.match).filter { !image.isDeclared($0.path) }.compactMap { node in
                switch node.status.kind {
                case .file where node.status.size == 0: nil
                case .file: Observation("\(node.path)", "it has \(node.status.size) bytes")
                case .folder where image.tree.list(node.path).isEmpty: nil
                case .folder: Observation("\(node.path)", "it has entries")
                default: Observation("\(node.path)", "it is there")
                }
            }
        }
    }

    /// These folders have no entries but those of these names.
    static func emptyFolder(
        _ patterns: String..., but kept: [String] = [], verdict: VerifyFinding.Verdict? = nil
    ) -> Check {
        Check("emptydir", verdict: verdict) { image in
            patterns.flatMap { image.tree.match($0).map(\.path) }.flatMap { folder in
                image.tree.list(folder).filter { node in
                    !kept.contains { Array($0.utf8) == node.path.last } && !image.isDeclared(node.path)
                }
            }.map { Observation("\($0.path)", "it is there") }
        }
    }

    /// No line of these files is one that `reject` says something of. Comments are no lines; what the definition
    /// declares is not looked at.
    static func lines(
        _ patterns: String..., reject: @escaping @Sendable (_ line: String, _ image: Inspection) -> String?
    ) -> Check {
        Check("nomatch") { image in
            patterns.flatMap(image.tree.match).filter { !image.isDeclared($0.path) }.flatMap { node in
                image.lines(node).compactMap { line in
                    reject(line, image).map { Observation("\(node.path)", $0, evidence: Array(line.utf8)) }
                }
            }
        }
    }
}
