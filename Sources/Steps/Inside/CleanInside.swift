import Model
import SystemPackage
import Tooling

/// Unpacks a tree, removes the traces of its build, and packs it: what outputs are made of.
package struct CleanInside: Codable, Sendable {
    var action: CleanAction
    /// Where the tree is unpacked.
    var trees: String

    func run(runner: any CommandRunning, log: @escaping @Sendable (String) -> Void) async throws {
        let path = try await TreeArchive.unpack("/mnt/tree.tar", in: trees, runner: runner)
        try BuildTraces(tree: try TreeRoot(path)).remove()
        log("packing the tree")
        try await TreeArchive.create("/mnt/out/tree.tar", from: path, epoch: action.epoch, runner: runner)
        // Once more: this is the tree that leaves the factory, and of a tar file nothing else is verified.
        try TreeSecrets.refuse(try SecretFile.read(action.secrets), in: "/mnt/out/tree.tar")
    }
}
