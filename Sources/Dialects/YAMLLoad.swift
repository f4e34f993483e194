import Foundation
import Model
import Yams

/// Bytes → YAML nodes, within limits that keep a hostile file from costing much.
enum YAMLLoad {
    static let largestFile = 1 << 20
    static let deepest = 64
    static let mostNodes = 100_000
    static let mostAliases = 64

    /// Nil if there is no document to look at; the problems say why.
    static func node(_ bytes: [UInt8], _ problems: YAMLProblems) -> Node? {
        let start = Place(line: 1, column: 1)
        guard bytes.count <= largestFile else {
            problems.error(start, "the file is larger than 1 MiB")
            return nil
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            problems.error(firstInvalid(bytes), "the file is not UTF-8")
            return nil
        }
        // A byte order mark is no part of the text.
        if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
        guard checkCharacters(text, problems), YAMLScan.check(text, problems) else { return nil }
        do {
            let parser = try Yams.Parser(yaml: text)
            guard let root = try parser.singleRoot() else {
                problems.error(start, "the file is empty")
                return nil
            }
            if case .scalar(let scalar) = root, scalar.style == .plain, scalar.string.isEmpty {
                problems.error(start, "the file is empty")
                return nil
            }
            return root
        } catch {
            problems.error(start, "the file is not YAML: \(Self.oneLine("\(error)"))")
        }
        return nil
    }

    /// Control and direction characters hide what a definition says; other line breaks than LF hide where.
    private static func checkCharacters(_ text: String, _ problems: YAMLProblems) -> Bool {
        var place = Place(line: 1, column: 1)
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            if isAfterReturn, scalar != "\n" {
                problems.error(place, "a carriage return without a line feed is not allowed")
                return false
            }
            isAfterReturn = scalar == "\r"
            if scalar == "\n" {
                place = Place(line: place.line + 1, column: 1)
                continue
            }
            guard !isForbidden(scalar) || isAfterReturn else {
                problems.error(place, "the character \(name(scalar)) is not allowed")
                return false
            }
            place.column += 1
        }
        if isAfterReturn { problems.error(place, "a carriage return without a line feed is not allowed") }
        return !isAfterReturn
    }

    /// Where bytes stop to be UTF-8.
    private static func firstInvalid(_ bytes: [UInt8]) -> Place {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (at, line) in lines.enumerated() where String(validating: line, as: UTF8.self) == nil {
            let column = String(decoding: line, as: UTF8.self).unicodeScalars.prefix { $0 != "\u{fffd}" }.count
            return Place(line: at + 1, column: column + 1)
        }
        return Place(line: 1, column: 1)
    }

    /// Controls other than tab, characters that change the direction of text or are none, line breaks of Unicode.
    static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff, 0xfffe, 0xffff:
            true
        default: false
        }
    }

    /// `U+202E`
    static func name(_ scalar: Unicode.Scalar) -> String {
        let code = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
    }

    static func place(_ mark: Mark?) -> Place {
        Place(line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
    }

    /// The first line of a text, short, and without characters that would command a terminal.
    static func oneLine(_ text: String) -> String {
        let line = text.prefix(200).prefix { !$0.isNewline }
        let cut = line.endIndex < text.endIndex && line.count == 200
        return String(String.UnicodeScalarView(line.unicodeScalars.map { isForbidden($0) ? "\u{fffd}" : $0 }))
            + (cut ? "…" : "")
    }

    /// What a file says, for a message: short.
    static func quoted(_ text: String) -> String {
        let line = oneLine(text)
        return line.count > 60 ? line.prefix(60) + "…" : line
    }
}
