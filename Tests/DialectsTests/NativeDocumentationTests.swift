import SystemPackage
import TestSupport
import Testing

@testable import Dialects

/// The tables of keys in docs/definition.md are made from the table that checks definitions.
@Suite struct NativeDocumentationTests {
    private static let mark = "<!-- Made from NativeKeys"

    @Test func `The documentation has every key as it is checked`() throws {
        let path = RepositoryFiles.root.appending("docs").appending("definition.md")
        let text = try Scratch.read(path)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let mark = try #require(lines.firstIndex { $0.hasPrefix(Self.mark) })
        let expected = lines[...mark].joined(separator: "\n") + "\n\n" + Self.sections().joined(separator: "\n")
        if Golden.isUpdating { try Scratch.write(expected, path) }
        #expect(try Scratch.read(path) == expected)
    }

    /// A table for each map, in the order in which maps appear.
    private static func sections() -> [String] {
        var waiting: [(path: String, keys: [ShapeKey])] = [("", NativeKeys.root)]
        var made: [String] = []
        while !waiting.isEmpty {
            let (path, keys) = waiting.removeFirst()
            var text = path.isEmpty ? "" : "### \(path)\n\n"
            text += "| key | value | |\n|---|---|---|\n"
            for key in keys {
                let place = path.isEmpty ? key.name : "\(path).\(key.name)"
                let required = key.isRequired ? " (required)" : ""
                text += "| `\(key.name)`\(required) | \(describe(key.shape, place)) | \(key.summary) |\n"
            }
            made.append(text)
            waiting = keys.flatMap { maps(of: $0.shape, path.isEmpty ? $0.name : "\(path).\($0.name)") } + waiting
        }
        return made
    }

    private static func maps(of shape: Shape, _ path: String) -> [(path: String, keys: [ShapeKey])] {
        switch shape {
        case .map(let keys): [(path, keys)]
        case .list(let element, _): maps(of: element, path)
        case .either(let shapes): shapes.flatMap { maps(of: $0, path) }
        default: []
        }
    }

    private static func describe(_ shape: Shape, _ path: String) -> String {
        switch shape {
        case .text(let rule): rule.what + (rule.example.map { ", such as `\($0)`" } ?? "")
        case .choice(let names): names.map { "`\($0)`" }.joined(separator: ", ")
        case .flag: "`true`, `false`"
        case .list(let element, let mayBeEmpty):
            (mayBeEmpty ? "a list: " : "a list, not empty: ") + describe(element, path)
        case .map:
            "a map: [\(path)](#\(path.filter { $0 != "." }))"
        case .variables: "a map of names and texts"
        case .either(let shapes): shapes.map { describe($0, path) }.joined(separator: "; or ")
        }
    }
}
