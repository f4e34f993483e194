import Engine
import Model
import Store

/// Whether a step's result is there, and if not, why.
package struct StepExplanation: Sendable {
    package var step: String
    package var cached: Bool
    /// Each a line: what differs from the last build of this name.
    package var reasons: [String]
}

extension Factory {
    /// What a build would reuse, what it would run, and which input changed.
    package func explain(_ request: BuildRequest) async throws -> (PreparedBuild, [StepExplanation]) {
        try await answering(request) { try await explained(request) }
    }

    private func explained(_ request: BuildRequest) async throws -> (PreparedBuild, [StepExplanation]) {
        let loaded = try await loadChecked(request)
        let factory = keeping(in: loaded.cacheFolder)
        let opened = try await factory.openStore()
        let prepared = try await factory.prepare(loaded, request, opened)
        let last = LastPlan.read(prepared.plan.name, from: opened)
        let explanations = try prepared.plan.steps.map { step in
            let cached = try opened.lookup(step.id) != nil
            return StepExplanation(
                step: step.name, cached: cached,
                reasons: cached ? [] : try PlanDifference.reasons(step, last: last?.step(named: step.name), last))
        }
        return (prepared, explanations)
    }
}

enum PlanDifference {
    static func reasons(_ step: Step, last: Step?, _ plan: BuildPlan?) throws -> [String] {
        guard plan != nil else { return ["this definition has not been built yet"] }
        guard let last else { return ["the last build had no such step"] }
        var reasons: [String] = []
        if step.action != last.action {
            reasons += try ValueDifference.lines(try tree(last.action), try tree(step.action))
        }
        for (tool, version) in step.tools.sorted(by: { $0.key < $1.key }) where last.tools[tool] != version {
            reasons.append("tool \(tool): \(last.tools[tool] ?? "none") → \(version)")
        }
        if step.id == last.id { return ["its result was removed from the store"] }
        if reasons.isEmpty { reasons = step.inputs.values.map { "the result of \($0.step) changes" }.sorted() }
        return reasons
    }

    private static func tree(_ action: Action) throws -> JSONTree {
        try Canonical.decode(JSONTree.self, from: try Canonical.bytes(action))
    }
}

/// Any JSON value, for comparing two of the same type.
indirect enum JSONTree: Decodable, Equatable {
    case object([String: JSONTree])
    case array([JSONTree])
    case leaf(String)

    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: AnyKey.self) {
            var object: [String: JSONTree] = [:]
            for key in keyed.allKeys { object[key.stringValue] = try keyed.decode(JSONTree.self, forKey: key) }
            self = .object(object)
            return
        }
        if let list = try? [JSONTree](from: decoder) {
            self = .array(list)
            return
        }
        let single = try decoder.singleValueContainer()
        if let text = try? single.decode(String.self) {
            self = .leaf("'\(text)'")
        } else if let flag = try? single.decode(Bool.self) {
            self = .leaf("\(flag)")
        } else if let number = try? single.decode(UInt64.self) {
            self = .leaf("\(number)")
        } else {
            self = .leaf("null")
        }
    }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    /// A short form for one line.
    var short: String {
        switch self {
        case .leaf(let text): text.count > 60 ? String(text.prefix(57)) + "…'" : text
        case .array(let list): "[\(list.count)]"
        case .object(let object): "{" + object.keys.sorted().joined(separator: ", ") + "}"
        }
    }
}

enum ValueDifference {
    /// Where two values differ, each place in one line, at most eight.
    static func lines(_ old: JSONTree, _ new: JSONTree) throws -> [String] {
        var lines: [String] = []
        collect(old, new, path: "", into: &lines)
        return lines.count > 8 ? Array(lines.prefix(8)) + ["and \(lines.count - 8) more"] : lines
    }

    private static func collect(_ old: JSONTree, _ new: JSONTree, path: String, into lines: inout [String]) {
        switch (old, new) {
        case (.object(let left), .object(let right)):
            for key in Set(left.keys).union(right.keys).sorted() {
                // Codable names the payload of an enum case "_0": no part of what a user wrote.
                let inner = key == "_0" ? path : path.isEmpty ? key : "\(path).\(key)"
                compare(left[key], right[key], inner, &lines)
            }
        case (.array(let left), .array(let right)) where left.allSatisfy(\.isLeaf) && right.allSatisfy(\.isLeaf):
            for value in left where !right.contains(value) { lines.append("\(path): \(value.short) removed") }
            for value in right where !left.contains(value) { lines.append("\(path): \(value.short) added") }
            if lines.isEmpty, left != right { lines.append("\(path): the order changed") }
        case (.array(let left), .array(let right)):
            for at in 0..<max(left.count, right.count) {
                compare(
                    at < left.count ? left[at] : nil, at < right.count ? right[at] : nil, "\(path)[\(at + 1)]", &lines)
            }
        default:
            if old != new { lines.append("\(path): \(old.short) → \(new.short)") }
        }
    }

    private static func compare(_ old: JSONTree?, _ new: JSONTree?, _ path: String, _ lines: inout [String]) {
        switch (old, new) {
        case (let old?, let new?): collect(old, new, path: path, into: &lines)
        case (nil, let new?): lines.append("\(path): \(new.short) added")
        case (let old?, nil): lines.append("\(path): \(old.short) removed")
        case (nil, nil): break
        }
    }
}

extension JSONTree {
    var isLeaf: Bool {
        if case .leaf = self { return true }
        return false
    }
}
