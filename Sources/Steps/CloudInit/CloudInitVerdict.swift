import Model

/// What came of cloud-init's work, from its own words.
struct CloudInitVerdict: Hashable, Sendable {
    var failure: CloudSetupFailure?
    /// The errors, or what was wrong with the data source; nil if nothing was.
    var reason: String?
    var datasource: String
    var errors: [String]
    /// By level: `WARNING`.
    var recoverable: [String: [String]]

    /// Warnings by which cloud-init says that it left out what the user wants.
    private static let ignoring = [
        "Failed at merging in cloud config", "Failed loading yaml blob", "Unhandled unknown content-type",
        "Unhandled non-multipart", "Failed to shellify", "Failed calling handler",
    ]
    private static let fullDisk = "No space left on device"

    /// - Parameters:
    ///   - report: what the probe sent.
    ///   - result: result.json as the disk has it; nil where the host cannot read it, and the guest is believed.
    init(_ report: ProbeReport, result: JSONValue?, hasSeed: Bool, degradation: CloudSetup.Degradation) {
        let result = result ?? report.result
        let stages = ["init-local", "init", "modules-config", "modules-final"].compactMap { report.status[$0] }
        datasource = result["v1"]?["datasource"]?.string ?? report.status["datasource"]?.string ?? ""
        errors = Self.texts([result["v1"]?["errors"], report.status["errors"]] + stages.map { $0["errors"] })
        recoverable = Self.recoverable([report.status, result["v1"] ?? .null] + stages)
        let warnings = ["ERROR", "CRITICAL", "WARNING"].flatMap { recoverable[$0] ?? [] }
        if hasSeed, !datasource.contains("NoCloud") {
            failure = .noDatasource
            reason = "cloud-init did not use the seed: its data source was '\(datasource)'"
        } else if let first = errors.first ?? warnings.first(where: Self.isIgnoring) {
            failure = (errors + warnings).contains { $0.contains(Self.fullDisk) } ? .diskFull : .cloudInitError
            let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
            reason = "\(first)\(more)"
        } else if report.status["status"]?.string == "error" || report.exit == 1 || datasource.isEmpty {
            failure = .cloudInitError
            reason = "cloud-init ended with an error that it does not name"
        } else if let first = warnings.first {
            failure = degradation == .fail ? .cloudInitDegraded : nil
            reason = first + (warnings.count > 1 ? " (and \(warnings.count - 1) more)" : "")
        }
    }

    private static func isIgnoring(_ warning: String) -> Bool { ignoring.contains { warning.contains($0) } }

    /// Each once, in one line each.
    private static func texts(_ lists: [JSONValue?]) -> [String] {
        var known: Set<String> = []
        return lists.flatMap { $0?.array ?? [] }.compactMap(\.string).filter { known.insert($0).inserted }
            .map { SerialText.printable(Array($0.utf8.prefix(600))) }
    }

    private static func recoverable(_ places: [JSONValue]) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for case .object(let levels)? in places.map({ $0["recoverable_errors"] }) {
            for (level, list) in levels {
                let new = texts([list]).filter { found[level]?.contains($0) != true }
                if !new.isEmpty { found[level, default: []] += new }
            }
        }
        return found
    }
}
