/// Text as Python's ConfigParser sees it: characters are code points, and blank is what `str.isspace` calls so.
typealias INIText = [Unicode.Scalar]

extension INIText {
    init(_ text: String) { self.init(text.unicodeScalars) }
}

extension Sequence where Element == Unicode.Scalar {
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self)
        return String(view)
    }
}

extension BidirectionalCollection where Element == Unicode.Scalar {
    /// Without blanks at both ends.
    var stripped: SubSequence { drop { $0.isINIBlank }.strippedRight }

    /// Without blanks at the end.
    var strippedRight: SubSequence {
        var end = endIndex
        while end > startIndex, self[index(before: end)].isINIBlank { formIndex(before: &end) }
        return self[..<end]
    }
}

extension Unicode.Scalar {
    var isINIBlank: Bool {
        switch value {
        case 0x09...0x0d, 0x1c...0x20: true
        case 0..<0x80: false
        default: properties.isWhitespace
        }
    }
}

/// Where something is written.
struct INIPlace: Hashable, Sendable {
    /// A configuration file, or the option of the command line that gave the text.
    var file: String
    /// Counted from 1.
    var line: Int
    /// Counted from 1, in code points.
    var column: Int

    func moved(by columns: Int) -> INIPlace { INIPlace(file: file, line: line, column: column + columns) }
}

/// A value as it is written, its lines without the blanks around them.
struct INIValue: Sendable {
    private(set) var lines: [(text: INIText, place: INIPlace)]

    init(_ text: INIText, _ place: INIPlace) { lines = [(text, place)] }

    mutating func append(_ line: INIText, _ place: INIPlace) { lines.append((line, place)) }

    /// The lines joined, without empty ones at the end.
    var text: INIText { INIText(INIText(lines.map(\.text).joined(separator: ["\n"])).strippedRight) }

    var place: INIPlace { lines[0].place }

    /// Where a character of `text` is written.
    func place(at offset: Int) -> INIPlace {
        var rest = offset
        for (text, place) in lines {
            if rest <= text.count { return place.moved(by: rest) }
            rest -= text.count + 1
        }
        return place
    }
}

/// A key with its value.
struct INIOption: Sendable {
    /// In lower case.
    var key: String
    /// Of the key.
    var place: INIPlace
    var value: INIValue
}
