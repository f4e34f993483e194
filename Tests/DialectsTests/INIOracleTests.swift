import Model
import SystemPackage
import TestSupport
import Testing

@testable import Dialects

/// What Python's configparser makes of a file, or of several (scripts/make-ini-goldens).
struct OracleCase: Decodable, CustomTestStringConvertible, Sendable {
    struct Failure: Decodable, Sendable {
        var kind: String
        var lines: [Int]
    }

    struct Entry: Decodable, Sendable {
        var key: String
        var value: String?
        var failure: String?
        var message: String?
    }

    var name: String
    var files: [String]
    var error: Failure?
    var sections: [String]?
    var values: [String: [Entry]]?

    var testDescription: String { name }

    static let all: [OracleCase] = {
        let path = RepositoryFiles.root.appending("Tests/DialectsTests/Goldens/ini-oracle.json")
        guard let bytes = try? RepositoryFiles.bytes(path) else { return [] }
        return (try? Canonical.decode([OracleCase].self, from: bytes)) ?? []
    }()
}

@Suite struct INIOracleTests {
    @Test func `There are cases to compare with`() {
        #expect(OracleCase.all.count > 400)
    }

    @Test(arguments: OracleCase.all)
    func `A file is read as Python's configparser reads it`(oracle: OracleCase) throws {
        var configuration = INIConfiguration()
        var mistakes: [(kind: String, line: Int)] = []
        for file in oracle.files {
            INIReader.read(Array(file.utf8), file: "f", into: &configuration) { mistake, place, _ in
                mistakes.append((mistake.rawValue, place.line))
            }
            if oracle.error != nil, !mistakes.isEmpty { break }
        }
        if let error = oracle.error {
            let lines = mistakes.filter { $0.kind == error.kind }.map(\.line)
            #expect(error.kind == "ParsingError" ? lines == error.lines : lines.contains(error.lines[0]))
            return
        }
        #expect(mistakes.map(\.line) == [])
        #expect(configuration.names == oracle.sections)
        for (section, entries) in try #require(oracle.values) {
            #expect(configuration.keys(of: section) == entries.map(\.key))
            for entry in entries { compare(entry, section, configuration) }
        }
    }

    private func compare(_ entry: OracleCase.Entry, _ section: String, _ configuration: INIConfiguration) {
        do throws(INIInterpolation.Failure) {
            let value = try INIInterpolation(configuration: configuration).value(of: entry.key, in: section)
            #expect(value.map { Array($0.unicodeScalars) } == entry.value.map { Array($0.unicodeScalars) })
            #expect(entry.failure == nil)
        } catch {
            #expect(error.kind.rawValue == entry.failure)
            let said = entry.message ?? ""
            // Python writes some characters as escapes, and texts with quotes in other quotes.
            if !said.contains("\\"), !said.contains("\"") {
                #expect(error.message.hasPrefix(said), "\(error.message)")
            }
        }
    }
}
