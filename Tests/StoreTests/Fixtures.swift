import Engine
import Glibc
import Model
import Store
import SystemPackage
import TestSupport

extension FolderStore {
    /// A store in a folder that is gone after the test.
    static func with(_ body: (FolderStore) async throws -> Void) async throws {
        try await Scratch.with { try await body(try FolderStore.open($0.path.appending("store"))) }
    }

    static func open(_ path: FilePath) throws -> FolderStore {
        try FolderStore(path, digest: { Digest(of: try DurableFile.read($0)) }, removeForeign: { _ in })
    }

    /// Begins a step that nobody has made.
    func beginNew(_ step: Step) async throws -> any PendingResult {
        guard case .mine(let pending) = try await begin(step, waiting: {}) else {
            throw FactoryError(.internal, "\(step.name) is there already")
        }
        return pending
    }

    /// Makes a result with one file of some size.
    @discardableResult
    func make(_ step: Step, size: Int = 5) async throws -> StepResult {
        let pending = try await beginNew(step)
        try Scratch.write(String(repeating: "x", count: size), pending.output.appending("out.txt"))
        return try await pending.commit(Steps.record(step))
    }

    /// What lies in the folders of a store, without the shelves.
    func names(_ kind: String) -> [String] { Scratch.names(root.appending(kind)) }
}

enum Steps {
    static func step(_ name: String = "a") throws -> Step {
        try Step(name: name, action: .digest, inputs: [:], tools: ["name": name], after: [])
    }

    static func record(_ step: Step) -> StepRecord { StepRecord(id: step.id, name: step.name, made: 1000, seconds: 2) }

    static func mode(_ path: FilePath) -> mode_t? {
        var facts = stat()
        return lstat(path.string, &facts) == 0 ? facts.st_mode & 0o7777 : nil
    }

    /// Makes a result look as if it was last used at a time.
    static func age(_ result: StepResult, to seconds: Int) {
        let time = timespec(tv_sec: seconds, tv_nsec: 0)
        _ = utimensat(AT_FDCWD, result.folder.appending("record.json").string, [time, time], 0)
    }
}
