/// Text → sections and keys, by the rules of Python's ConfigParser with its defaults (version 3.11).
///
/// What ConfigParser raises an exception for is a problem here, and reading goes on, so that all are told at once.
struct INIReader {
    static let largestFile = 1 << 20

    /// The kinds of mistakes, named as ConfigParser's exceptions are.
    enum Mistake: String {
        case missingSectionHeader = "MissingSectionHeaderError"
        case duplicateSection = "DuplicateSectionError"
        case duplicateOption = "DuplicateOptionError"
        case parsing = "ParsingError"
        case encoding = "UnicodeDecodeError"
    }

    private let file: String
    private let report: (Mistake, INIPlace, String) -> Void
    private var configuration: INIConfiguration
    /// The section that lines belong to; nil before the first header.
    private var section: String?
    /// The key that continuation lines belong to.
    private var key: String?
    private var indentation = 0
    private var sectionLines: [String: Int] = [:]
    private var keyLines: [String: [String: Int]] = [:]
    private var toldMissingHeader = false

    /// Adds a file's sections and keys to a configuration.
    static func read(
        _ bytes: [UInt8], file: String, into configuration: inout INIConfiguration,
        report: (Mistake, INIPlace, String) -> Void
    ) {
        guard bytes.count <= largestFile else {
            report(.encoding, INIPlace(file: file, line: 1, column: 1), "the file is larger than 1 MiB")
            return
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            report(.encoding, firstInvalid(bytes, file), "the file is not UTF-8")
            return
        }
        withoutActuallyEscaping(report) { report in
            var reader = INIReader(file: file, report: report, configuration: configuration)
            reader.read(INIText(text))
            configuration = reader.configuration
        }
    }

    private init(
        file: String, report: @escaping (Mistake, INIPlace, String) -> Void, configuration: INIConfiguration
    ) {
        self.file = file
        self.report = report
        self.configuration = configuration
    }

    private mutating func read(_ text: INIText) {
        var number = 0
        var at = 0
        while at < text.count {
            number += 1
            let end = text[at...].firstIndex { $0 == "\n" || $0 == "\r" } ?? text.count
            read(text[at..<end], number)
            // A line ends with LF, CR or both.
            let isPair = end + 1 < text.count && text[end] == "\r" && text[end + 1] == "\n"
            at = end + (isPair ? 2 : 1)
        }
    }

    private mutating func read(_ line: ArraySlice<Unicode.Scalar>, _ number: Int) {
        let content = line.stripped
        let indent = content.startIndex - line.startIndex
        let place = INIPlace(file: file, line: number, column: indent + 1)
        guard let first = content.first else {
            if let section, let key {
                configuration.append([], INIPlace(file: file, line: number, column: 1), to: key, in: section)
            }
            return
        }
        guard first != "#", first != ";" else { return }
        if let section, let key, indent > indentation {
            configuration.append(INIText(content), place, to: key, in: section)
            return
        }
        indentation = indent
        if first == "[", let end = content.lastIndex(of: "]"), end > content.startIndex + 1 {
            enter(content[(content.startIndex + 1)..<end].string, place)
        } else if let section {
            option(content, place, in: section)
        } else if !toldMissingHeader {
            toldMissingHeader = true
            report(.missingSectionHeader, place, missingHeader(first, place))
        }
    }

    private func missingHeader(_ first: Unicode.Scalar, _ place: INIPlace) -> String {
        first == "\u{feff}"
            ? "the file begins with a byte order mark, so that its first line is no section header; save it without"
            : "this comes before any section; begin with a section header, such as [DEFAULT]"
    }

    private mutating func enter(_ name: String, _ place: INIPlace) {
        // The defaults may have more than one header, as ConfigParser has it.
        if name != INIConfiguration.defaultSection {
            if let line = sectionLines[name] {
                report(
                    .duplicateSection, place,
                    "the section '\(INIProblems.quoted(name))' is there twice, first in line \(line); join them")
            } else {
                sectionLines[name] = place.line
            }
        }
        configuration.addSection(name, place)
        section = name
        key = nil
    }

    private mutating func option(_ content: ArraySlice<Unicode.Scalar>, _ place: INIPlace, in section: String) {
        guard let delimiter = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            report(.parsing, place, "this is neither a section header nor 'key = value'")
            return
        }
        let name = content[..<delimiter].strippedRight.string.lowercased()
        if name.isEmpty { report(.parsing, place, "there is no key before '\(Character(content[delimiter]))'") }
        if let line = keyLines[section]?[name] {
            report(
                .duplicateOption, place,
                "the key '\(INIProblems.quoted(name))' is there twice in this section, first in line \(line); "
                    + "remove one")
        }
        keyLines[section, default: [:]][name] = place.line
        let value = content[(delimiter + 1)...].stripped
        let valuePlace = place.moved(by: value.startIndex - content.startIndex)
        configuration.set(
            INIOption(key: name, place: place, value: INIValue(INIText(value), valuePlace)), in: section)
        // A key without a name takes no continuation lines.
        key = name.isEmpty ? nil : name
    }

    private static func firstInvalid(_ bytes: [UInt8], _ file: String) -> INIPlace {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        let at = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        let column = String(decoding: lines[at], as: UTF8.self).unicodeScalars.prefix { $0 != "\u{fffd}" }.count
        return INIPlace(file: file, line: at + 1, column: column + 1)
    }
}
