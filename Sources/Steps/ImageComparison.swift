package import Model
package import SystemPackage
package import Tooling

/// Has two images, or two archives, compared by this program in a short-lived containment with limits.
package struct ImageComparison: Sendable {
    /// A file to compare, whose header was looked at.
    package struct Input: Sendable {
        package var file: FilePath
        /// The file as it was given: another one if `file` is a converted copy.
        package var original: FilePath
        package var kind: DiffInside.Kind
        package var side: DiffReport.Side

        package init(_ file: FilePath, of original: FilePath, kind: DiffInside.Kind, side: DiffReport.Side) {
            self.file = file
            self.original = original
            self.kind = kind
            self.side = side
        }
    }

    private let runner: any CommandRunning
    private let executable: FilePath

    /// - Parameter executable: the program itself.
    package init(runner: any CommandRunning, executable: FilePath) {
        self.runner = runner
        self.executable = executable
    }

    /// What differs. What the files hold can make this fail, with one line of error, and nothing else.
    ///
    /// - Parameters:
    ///   - limit: the regions or members that are told in detail.
    ///   - output: an empty folder of the caller's, which is handed over to the contained process.
    ///   - scratch: a folder of the caller's, for what that process is given.
    package func run(
        _ first: Input, _ second: Input, limit: Int, output: FilePath, scratch: FilePath
    ) async throws -> DiffReport {
        try Containment.handOver(output)
        let order = scratch.appending("order.json")
        let inside = DiffInside(
            kinds: [first.kind, second.kind], sides: [first.side, second.side], limit: limit)
        try WholeFile.write(try Canonical.text(InsideOrder.diff(inside)), order)
        let inputs = [first, second]
        let files = zip(inputs, DiffInside.files).map { Containment.Bind(source: $0.file, target: $1.string) }
        let originals = zip(inputs, DiffInside.originals).map {
            Containment.Bind(source: $0.original, target: $1.string)
        }
        let containment = Containment(
            workSize: .mebi(64),
            binds: files + originals + [
                .init(source: output, target: "/mnt/out", writable: true),
                .init(source: order, target: "/mnt/order.json"),
                .init(source: executable, target: "/mnt/image-factory"),
            ], limits: .init(addressSpace: .gibi(4), processorTime: .seconds(300), fileSize: .mebi(256)))
        let result = try await runner.run(
            Command("/mnt/image-factory", ["__inside", "/mnt/order.json"], containment: containment))
        if result.succeeded {
            return try Canonical.decode(DiffReport.self, from: WholeFile.bytes(output.appending(DiffInside.report)))
        }
        if let said = result.lastLines.lazy.compactMap({ InsideMessage($0) }).first(where: \.isError) {
            let parts = said.text.split(separator: "\t", maxSplits: 1).map(String.init)
            throw FactoryError(.definition, parts[0], remedy: parts.count > 1 ? parts[1] : nil)
        }
        throw FactoryError(
            .definition, "the images cannot be compared: reading them ended with \(result.ending)",
            remedy: "one of them is damaged, or made to do harm: get it anew from where it comes from")
    }
}
