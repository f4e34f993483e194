import Model
import Synchronization

/// The findings of a check for a person to read.
enum VerifyText {
    static func text(_ report: VerifyReport, traits: TerminalTraits) -> String {
        var lines = report.findings.map { finding in
            let isViolation = report.violations.contains(finding)
            let mark = isViolation ? (traits.unicode ? "✗" : "XX") : finding.waiver == nil ? "!" : "-"
            var line = "\(mark) \(finding.rule) \(finding.path): \(finding.message)"
            if let evidence = finding.evidence { line += " (\(evidence))" }
            if let waiver = finding.waiver { line += "; waived: \(waiver)" }
            return line + "\n    hint: \(finding.hint)"
        }
        let violations = report.violations.count
        let waived = report.findings.count { $0.waiver != nil }
        let warnings = report.findings.count - violations - waived
        lines.append(
            "\(report.rules.count) rules: \(violations) violation\(violations == 1 ? "" : "s"), "
                + "\(warnings) warning\(warnings == 1 ? "" : "s"), \(waived) waived")
        return lines.map { line in
            line.split(separator: "\n").map { Printable.line(String($0), unicode: traits.unicode) + "\n" }.joined()
        }.joined()
    }
}

/// JUnit's XML, as services that show test results read it: a case for each rule.
enum VerifyJUnit {
    static func text(_ report: VerifyReport, of image: String) -> String {
        let found = Dictionary(grouping: report.findings, by: \.rule)
        let failed = Set(report.violations.map(\.rule)).count
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        // What is found of a disk that no rule can read is of no rule.
        let cases = report.rules + Set(found.keys).subtracting(report.rules).sorted()
        text += "<testsuite name=\"\(escaped(image))\" tests=\"\(cases.count)\" failures=\"\(failed)\">\n"
        for rule in cases {
            text += "  <testcase classname=\"verify\" name=\"\(escaped(rule))\">\n"
            for finding in found[rule] ?? [] {
                let line = escaped("\(finding.path): \(finding.message)")
                if report.violations.contains(finding) {
                    text += "    <failure message=\"\(line)\">\(escaped(finding.hint))</failure>\n"
                } else {
                    let waiver = escaped(finding.waiver.map { "; waived: \($0)" } ?? "")
                    text += "    <system-out>\(line)\(waiver)</system-out>\n"
                }
            }
            text += "  </testcase>\n"
        }
        return text + "</testsuite>\n"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            // XML has no form for control characters at all.
            case _
            where scalar.value < 0x20 || scalar.value == 0x7f || scalar.value == 0xfffe || scalar.value == 0xffff:
                escaped += "\\x\(String(scalar.value, radix: 16))"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// A flag that a piece of work sets for the one that started it.
final class Outcome: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set(_ flag: Bool) { value.store(flag, ordering: .releasing) }
}
