import Foundation
import Model
import Yams

/// A value of a definition with its place; texts are as they are written, variables replaced.
indirect enum NativeValue {
    case text(String, Place)
    case list([NativeValue], Place)
    case map([(key: String, keyPlace: Place, value: NativeValue)], Place)

    var place: Place {
        switch self {
        case .text(_, let place), .list(_, let place), .map(_, let place): place
        }
    }
}

/// Line and column, from 1.
struct Place: Hashable, Comparable {
    var line: Int
    var column: Int

    static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// Collects problems of one file.
final class NativeProblems {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []

    init(file: String) { self.file = file }

    func error(_ place: Place, _ message: String) {
        let diagnostic = Diagnostic(file: file, line: place.line, column: place.column, .error, message)
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    func warn(_ place: Place, _ message: String) {
        diagnostics.append(Diagnostic(file: file, line: place.line, column: place.column, .warning, message))
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    var sorted: [Diagnostic] {
        diagnostics.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }
}

/// Bytes → YAML nodes, within limits that keep a hostile file from costing much.
enum NativeLoad {
    static let largestFile = 1 << 20
    static let deepest = 64
    static let mostNodes = 100_000
    static let mostAliases = 64

    /// Nil if there is no document to look at; the problems say why.
    static func node(_ bytes: [UInt8], _ problems: NativeProblems) -> Node? {
        let start = Place(line: 1, column: 1)
        guard bytes.count <= largestFile else {
            problems.error(start, "the file is larger than 1 MiB")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.error(start, "the file is not UTF-8")
            return nil
        }
        guard checkCharacters(text, problems), checkNesting(text, problems) else { return nil }
        do {
            let parser = try Yams.Parser(yaml: text)
            guard let root = try parser.singleRoot() else {
                problems.error(start, "the file is empty")
                return nil
            }
            return root
        } catch let error as YamlError {
            report(error, problems)
        } catch {
            problems.error(start, "the file is not YAML: \(Self.oneLine("\(error)"))")
        }
        return nil
    }

    /// Control and direction characters hide what a definition says.
    private static func checkCharacters(_ text: String, _ problems: NativeProblems) -> Bool {
        var place = Place(line: 1, column: 1)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a:
                place = Place(line: place.line + 1, column: 1)
                continue
            case 0x09, 0x0d: break
            case 0xfeff where place == Place(line: 1, column: 1): break
            case 0..<0x20, 0x7f..<0xa0, 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0xfeff:
                let code = String(scalar.value, radix: 16, uppercase: true)
                problems.error(
                    place,
                    "the character U+\(String(repeating: "0", count: max(0, 4 - code.count)) + code) is not allowed")
                return false
            default: break
            }
            place.column += 1
        }
        return true
    }

    /// The parser recurses, and expands aliases as often as they are named: both are bounded before it starts.
    private static func checkNesting(_ text: String, _ problems: NativeProblems) -> Bool {
        var aliases = 0
        var anchors = 0
        var line = 1
        var opened = 0
        var dashes = 0
        var isLineStart = true
        var previous: UInt8 = 0x0a
        for byte in text.utf8 {
            switch byte {
            case 0x0a:
                line += 1
                dashes = 0
                isLineStart = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): opened += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): opened = max(0, opened - 1)
            case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                if isLineStart { dashes += 1 }
            case UInt8(ascii: "*") where " \t\n[,{:".utf8.contains(previous): aliases += 1
            case UInt8(ascii: "&") where " \t\n[,{:".utf8.contains(previous): anchors += 1
            case UInt8(ascii: " "): break
            default: isLineStart = false
            }
            previous = byte
            guard opened <= 512, dashes <= 512 else {
                problems.error(Place(line: line, column: 1), "the file is nested too deeply")
                return false
            }
        }
        guard anchors == 0 || aliases <= mostAliases else {
            problems.error(Place(line: 1, column: 1), "the file has more than \(mostAliases) aliases")
            return false
        }
        return true
    }

    private static func report(_ error: YamlError, _ problems: NativeProblems) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            problems.error(place(mark), "the YAML is malformed: \(oneLine(problem))")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\(oneLine($0))'" }.joined(separator: ", ")
            problems.error(place(context.mark), "the map that starts here has the key \(names) more than once")
        default:
            problems.error(Place(line: 1, column: 1), "the YAML is malformed: \(oneLine("\(error)"))")
        }
    }

    static func place(_ mark: Mark?) -> Place {
        Place(line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
    }

    static func oneLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.count > 200 ? line.prefix(200) + "…" : line
    }
}
