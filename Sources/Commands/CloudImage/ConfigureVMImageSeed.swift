import FactoryCore
import Model
import SystemPackage

/// The first configure-vm-image: it prints lines, and its exit codes are 1 to 4.
struct ConfigureVMImageSeed {
    private enum Code {
        static let folder: Int32 = 1
        static let seed: Int32 = 2
        static let configure: Int32 = 3
        static let reset: Int32 = 4
    }

    /// An exit code, what is printed with it and why.
    private struct Failure: Error {
        var code: Int32
        var lines: [String]
        var details: [String] = []
    }

    private static let unset = "Failed to generate the image configuration"

    private let arguments: ArgparseArguments
    private let place: ConfigurationPlace
    private let notes = NoteKeeper()

    init(_ arguments: ArgparseArguments, _ place: ConfigurationPlace) {
        self.arguments = arguments
        self.place = place
    }

    func answer() async throws -> ForeignAnswer {
        do {
            var request = try request()
            try makeFolders(&request)
            let result = try await place.configure(request, place.notes(notes))
            let warnings = place.warnings(notes) + ConfigurationNotes.warnings(result, beside: notes.warnings)
            return ForeignAnswer(
                output: "Configured the image: \(result.image)\n", errors: ForeignAnswer.lines(warnings))
        } catch let failure as Failure {
            return ForeignAnswer(
                output: ForeignAnswer.lines(failure.lines), errors: ForeignAnswer.lines(failure.details),
                status: failure.code)
        } catch let failure as ImageConfigurationFailure {
            let (code, line) = Self.code(of: failure.reason)
            let errors = place.warnings(notes) + [failure.message] + failure.details
            return ForeignAnswer(output: line + "\n", errors: ForeignAnswer.lines(errors), status: code)
        } catch let wrong as WrongValue {
            return .usage(
                ConfigureVMImageGrammar.seed,
                "argument \(wrong.name): invalid value: \(ArgparseReader.quoted(wrong.value)) (must be \(wrong.wanted))"
            )
        }
    }

    private func value(_ key: String) -> String {
        arguments.values[key] ?? ConfigureVMImageGrammar.seed.options.first { $0.key == key }?.standard ?? ""
    }

    private func request() throws -> ImageConfigurationRequest {
        let options = try ConfigurationOptions(arguments)
        var request = ImageConfigurationRequest(
            image: place.path(value("--image-input-path")), output: options.output.map(place.path),
            seed: try seed(), seedOutput: place.path(value("--config-seed-output-path")),
            processor: value("--qemu-cpu-model"), reset: options.resets ? .defaults : nil)
        options.apply(to: &request)
        return request
    }

    /// All three must be there.
    private func seed() throws -> [SeedFile.Kind: FilePath] {
        var files: [SeedFile.Kind: FilePath] = [:]
        var missing: [String] = []
        for kind in [SeedFile.Kind.userData, .metaData, .vendorData] {
            let path = value("--config-\(kind.rawValue)-path")
            files[kind] = place.path(path)
            if !place.isThere(place.path(path)) {
                missing.append("Failed to find a cloud-init \(kind.rawValue) file at: \(path)")
            }
        }
        guard missing.isEmpty else {
            let hint = "hint: give the path of an image for the newer command line, in which these files may be missing"
            throw Failure(code: Code.seed, lines: missing + [Self.unset], details: [hint])
        }
        return files
    }

    /// The socket where nobody asked for it is no reason to make a folder.
    private func makeFolders(_ request: inout ImageConfigurationRequest) throws {
        let key = "---image-qemu-socket-path"
        let socket = place.path(value(key))
        var folders = [request.seedOutput, request.output].compactMap { $0?.removingLastComponent() }
        if arguments.has(key) { folders.append(socket.removingLastComponent()) }
        for folder in folders {
            do {
                try WritableFolder.make(folder, "the folder")
            } catch let error as FactoryError {
                throw Failure(
                    code: Code.folder, lines: ["Failed to create the directory: \(folder)"], details: [error.message])
            }
        }
        if place.isThere(socket.removingLastComponent()) { request.monitorSocket = socket }
        request.requiresMonitor = arguments.has(key)
    }

    private static func code(of reason: ImageConfigurationFailure.Reason) -> (code: Int32, line: String) {
        switch reason {
        case .seed: (Code.seed, unset)
        case .create(let path): (Code.folder, "Failed to create the path: \(path)")
        case .reset: (Code.reset, "Failed to reset the image")
        case .pathNotFound, .load, .configure, .check, .noTool: (Code.configure, "Failed to configure the image")
        }
    }
}
