import FactoryCore

/// The exit codes of configure-vm-image 0.1.3 that anything leads to. It has names for 8 (checksum), 9 (resize), 11 (JSON),
/// 12 (download) and 13 (function not found), and no use.
enum ConfigureVMCode: Int32 {
    case success = 0
    case notFound = 1
    case load = 2
    case create = 3
    case configure = 4
    case reset = 5
    case missingAttribute = 6
    case wrongType = 7
    case check = 10
}

/// Why an image is not configured, in the words of configure-vm-image.
struct ConfigureVMFailure: Error {
    var code: ConfigureVMCode
    var message: String
    var details: [String]

    init(_ code: ConfigureVMCode, _ message: String, details: [String] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    static func missing(_ path: String, _ fault: String) -> Self {
        Self(.notFound, "Path not found: \(path) - error: \(fault)")
    }

    /// - Parameters:
    ///   - image: as it was given.
    ///   - seed: the path for the seed, as it was given.
    init(_ failure: ImageConfigurationFailure, image: String, seed: String) {
        let fault = failure.message
        switch failure.reason {
        case .pathNotFound(let path): self.init(.notFound, "Path not found: \(path) - error: \(fault)")
        case .noTool: self.init(.notFound, fault)
        case .load(let path): self.init(.load, "Failed to load path: \(path) - error: \(fault)")
        case .create(let path): self.init(.create, "Failed to create path: \(path) - error: \(fault)")
        case .seed: self.init(.create, "Failed to create path: \(seed) - error: \(fault)")
        case .configure: self.init(.configure, "Failed to configure image: \(image) - error: \(fault)")
        case .reset: self.init(.reset, "Failed to reset image: \(image) - error: \(fault)")
        case .check(let path): self.init(.check, "Failed to check path: \(path) - error: \(fault)")
        }
        details = failure.details
    }

    /// In one line with what helps: without `--verbose` there is no other place for it.
    var text: String { ([message] + details).joined(separator: "; ") }
}

/// The result of configure-vm-image 0.1.3.
struct ConfigureVMResult {
    var message: String
    var code: ConfigureVMCode
    /// Nil: they were not asked for.
    var outputs: [String]?
    /// What a person has to know although all is well.
    var warnings: [String] = []

    var answer: ForeignAnswer {
        var object: [String: PythonJSON.Value] = [
            "msg": .text(message), "return_code": .number(code.rawValue),
            "status": .text(code == .success ? "success" : "failed"),
        ]
        if let outputs { object["outputs"] = .list(outputs) }
        guard code == .success else {
            // Nothing else is on standard error, for whoever reads the object from there.
            if !warnings.isEmpty { object["warnings"] = .list(warnings) }
            return ForeignAnswer(errors: PythonJSON.text(object), status: code.rawValue)
        }
        return ForeignAnswer(output: PythonJSON.text(object), errors: ForeignAnswer.lines(warnings))
    }
}

/// What is told of an image that is configured.
enum ConfigurationNotes {
    static func lines(_ result: ConfiguredImage) -> [String] {
        if result.wasUpToDate { return ["The image is what was asked for already: nothing was done"] }
        var lines: [String] = []
        if let setup = result.setup {
            let source = setup.datasource.map { " from \($0)" } ?? ""
            lines.append("Finished configuring the image in \(Int(setup.seconds)) s: \(setup.status)\(source)")
        }
        for reset in result.reset {
            let count = reset.removed.count + reset.emptied.count + reset.changed.count
            guard count > 0 || reset.note != nil else { continue }
            lines.append("Reset \(reset.operation): \(count) changed" + (reset.note.map { ": " + $0 } ?? ""))
        }
        lines.append("The image has the digest \(result.digest)")
        return lines
    }

    /// - Parameter told: warnings that there are already, from which an error may be known.
    static func warnings(_ result: ConfiguredImage, beside told: [String] = []) -> [String] {
        let errors = (result.setup?.recoverableErrors ?? []).filter { error in !told.contains { $0.contains(error) } }
        var lines = errors.map { "warning: cloud-init could recover from: \($0)" }
        if result.findings > 0 {
            lines.append(
                "warning: the rules of sound images found \(result.findings) "
                    + (result.findings == 1 ? "thing" : "things")
                    + "; 'image-factory verify \(result.image)' tells them")
        }
        return lines
    }
}
