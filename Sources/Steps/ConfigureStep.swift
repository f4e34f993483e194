import Engine
import Glibc
import Model
import SystemPackage
import Tooling

/// Changes a tree as the definition says: the program itself does it inside a containment without network.
struct ConfigureStep {
    let action: ConfigureAction
    let environment: StepEnvironment

    func run(in context: StepContext) async throws {
        var work = try ContainedWork(context, network: .none)
        work.bind(try context.input("tree"), "/mnt/tree.tar")
        var locals: [Digest] = []
        for file in action.files {
            guard let digest = file.local, !locals.contains(digest) else { continue }
            guard let path = environment.localFiles[digest] else {
                throw FactoryError(.internal, "the local file for \(file.path) is not known")
            }
            work.bind(path, "/mnt/files/\(digest.hex)")
            locals.append(digest)
        }
        let secrets = try environment.secrets(named: action.secrets)
        try work.offer(secrets, in: context.scratch)
        let inside = ConfigureInside(action: action, trees: work.trees)
        try await InsideProgram.run(
            .configure(inside), work: work, environment: environment, context: context,
            secrets: secrets.flatMap(\.maskedTexts))
    }
}

/// What the program does inside a containment, given as a file.
package enum InsideOrder: Codable {
    case configure(ConfigureInside)
    case clean(CleanInside)
    case assemble(AssembleInside)
    case convert(ConvertInside)
    case verify(VerifyInside)
    case diff(DiffInside)
    case resize(ResizeInside)
    case seal(SealInside)
    case installerFiles(InstallerFilesInside)
    case installedDisk(InstalledDiskInside)
    case setupFindings(SetupFindingsInside)
    case reset(ResetInside)
}

enum InsideProgram {
    /// Starts this program inside the containment and relays what it says.
    ///
    /// - Parameter untrusted: what it reads, where that could make it end without a word.
    static func run(
        _ order: InsideOrder, work: ContainedWork, environment: StepEnvironment, context: StepContext,
        secrets: [String] = [], untrusted: String? = nil
    ) async throws {
        var work = work
        let file = context.scratch.appending("order.json")
        try WholeFile.write(try Canonical.text(order), file)
        work.bind(file, "/mnt/order.json")
        work.bind(environment.executable, "/mnt/image-factory")
        let failure = LineCollector()
        let command = Command(
            "/mnt/image-factory", ["__inside", "/mnt/order.json"], environment: ["TMPDIR": work.trees],
            containment: work.containment, secrets: secrets)
        let result = try await environment.runner.run(command) { _, line in
            if let progress = InsideMessage(line)?.progress {
                context.report.progress(progress.done, of: progress.total)
            } else if let said = InsideMessage(line) {
                said.isError ? failure.add(said.text) : context.report.warn(said.text)
            } else {
                context.report.log(line)
            }
        }
        guard result.succeeded else {
            if let untrusted, failure.lines.isEmpty {
                throw FactoryError(
                    .failed, "\(untrusted) cannot be used: reading it ended with \(result.ending)",
                    remedy: "it is damaged, or made to do harm: make it anew")
            }
            let parts = (failure.lines.first ?? result.lastLines.last ?? "it ended without a message")
                .split(separator: "\t", maxSplits: 1).map(String.init)
            throw FactoryError(.failed, parts[0], remedy: parts.count > 1 ? parts[1] : nil)
        }
    }
}

/// A line by which the program inside speaks to the one outside, so that the log of commands cannot be mistaken for it.
struct InsideMessage {
    private static let mark = "\u{1f}image-factory:"
    let text: String
    let isError: Bool
    private let isProgress: Bool

    init?(_ line: String) {
        // Control characters arrive escaped, as `OutputRecorder` does it.
        for prefix in [Self.mark, "\\x1Fimage-factory:", "\\x1fimage-factory:"] where line.hasPrefix(prefix) {
            let rest = line.dropFirst(prefix.count)
            isError = rest.hasPrefix("error:")
            isProgress = rest.hasPrefix("progress:")
            text = String(rest.drop { $0 != ":" }.dropFirst())
            return
        }
        return nil
    }

    /// Bytes, if the message tells how far the work is.
    var progress: (done: UInt64, total: UInt64)? {
        guard isProgress else { return nil }
        let numbers = text.split(separator: " ").compactMap { UInt64($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }

    static func progress(_ done: Int64, of total: Int64) -> String { "\(mark)progress:\(done) \(total)" }

    static func warning(_ message: String) -> String { "\(mark)warning:\(message)" }

    static func error(_ message: String, remedy: String?) -> String {
        "\(mark)error:\(message)" + (remedy.map { "\t\($0)" } ?? "")
    }
}
