import Model
import Testing

@testable import Dialects

/// Each row of the table of ConfigParser's behaviour.
@Suite struct INIParserTests {
    /// What a key of `[A]` is.
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var text: String
        var value: String

        init(_ testDescription: String, _ text: String, _ value: String) {
            self.testDescription = testDescription
            self.text = text
            self.value = value
        }
    }

    /// The value of `k` in `[A]`, or what is wrong with it, at its place.
    private func value(_ text: String, of key: String = "k", in section: String = "A") -> String {
        var configuration = INIConfiguration()
        var problems: [String] = []
        INIReader.read(Array(text.utf8), file: "f", into: &configuration) { mistake, place, message in
            problems.append("\(place.line):\(place.column): \(mistake.rawValue): \(message)")
        }
        guard problems.isEmpty else { return problems.joined(separator: "\n") }
        do throws(INIInterpolation.Failure) {
            return try INIInterpolation(configuration: configuration).value(of: key, in: section) ?? "(none)"
        } catch {
            return "\(error.place.line):\(error.place.column): \(error.kind.rawValue): \(error.message)"
        }
    }

    @Test(arguments: values + mistakes)
    func `A row of the table holds`(row: Row) {
        #expect(value(row.text) == row.value)
    }

    private static let values = [
        Row("a value of DEFAULT is substituted", "[DEFAULT]\ndata_dir=/s\n[A]\nk=${data_dir}/f\n", "/s/f"),
        Row("a key in capitals is the key in small letters", "[A]\ndist=trixie\nk=${DIST}\n", "trixie"),
        Row(
            "a chain of ten",
            "[A]\nk=${k1}\n" + (1..<10).map { "k\($0)=${k\($0 + 1)}\n" }.joined() + "k10=end\n", "end"),
        Row("a value of another section", "[A]\nw=mine\nk=${o:v}\n[o]\nv=${w}\nw=theirs\n", "theirs"),
        Row("two dollars are one", "[A]\nk=$$5\n", "$5"),
        Row("errors are lazy", "[A]\nbad=${nope}\nk=1\n", "1"),
        Row("the first delimiter splits", "[A]\nk = a = b : c\n", "a = b : c"),
        Row("a colon delimits", "[A]\nk: val\n", "val"),
        Row("a per cent sign is one", "[A]\nk=100%\n", "100%"),
        Row("there are no inline comments", "[A]\nk=a ; b # c\n", "a ; b # c"),
        Row("comments fill lines, in values too", "#\n[A]\n;x\nk=1\n  # c\n  2\n", "1\n2"),
        Row("indented lines continue", "[A]\nk=1\n 2\n", "1\n2"),
        Row("empty lines inside are kept", "[A]\nk=1\n\n 2\n\n\n", "1\n\n2"),
        Row("a value may be empty", "[A]\nk=\n", ""),
        Row("CRLF ends lines", "[A]\r\nk=1\r\nl=2\r\n", "1"),
        Row("blanks in a section's name are part of it", "[ A ]\nk=1\n[A]\nk=2\n", "2"),
        Row("keys are in small letters", "[A]\nK=1\n", "1"),
        Row("sections are told apart by case", "[a]\nk=2\n[A]\nk=1\n", "1"),
        Row("a key of DEFAULT is one of every section", "[DEFAULT]\nk=1\n[A]\nl=2\n", "1"),
        Row("a value of DEFAULT is read as the section has it", "[DEFAULT]\nk=${w}\nw=1\n[A]\nw=2\n", "2"),
    ]

    private static let mistakes = [
        Row(
            "a dollar before a letter", "[A]\nk=a $x\n",
            "2:5: InterpolationSyntaxError: '$' must be followed by '$' or '{', found: '$x'"),
        Row(
            "an open brace", "[A]\nk=${abc\n",
            "2:3: InterpolationSyntaxError: bad interpolation variable reference '${abc'"),
        Row("two colons", "[A]\nk=${a:b:c}\n", "2:3: InterpolationSyntaxError: More than one ':' found: ''"),
        Row(
            "a reference to no key", "[A]\nk=1\n  ${nope}\n",
            "3:3: InterpolationMissingOptionError: Bad value substitution: option 'k' in section 'A' contains an "
                + "interpolation key 'nope' which is not a valid option name. Raw value: '1\u{fffd}${nope}'"),
        Row(
            "a reference to nearly a key", "[A]\ndata_dir=/\nk=${data_dri}\n",
            "3:3: InterpolationMissingOptionError: Bad value substitution: option 'k' in section 'A' contains an "
                + "interpolation key 'data_dri' which is not a valid option name. Raw value: '${data_dri}'; "
                + "did you mean 'data_dir'?"),
        Row(
            "a reference to no section", "[A]\nk=${Zebra:v}\n",
            "2:3: InterpolationMissingOptionError: Bad value substitution: option 'k' in section 'A' contains an "
                + "interpolation key 'Zebra:v' which is not a valid option name. Raw value: '${Zebra:v}'; "
                + "there is no section 'Zebra'"),
        Row(
            "a loop", "[A]\nk=${l}\nl=${k}\n",
            "2:3: InterpolationDepthError: Recursion limit exceeded in value substitution: option 'k' in section 'A' "
                + "contains an interpolation key which cannot be substituted in 10 steps. Raw value: '${l}'"),
        Row(
            "a chain of eleven",
            "[A]\nk=${k1}\n" + (1..<11).map { "k\($0)=${k\($0 + 1)}\n" }.joined() + "k11=end\n",
            "12:5: InterpolationDepthError: Recursion limit exceeded in value substitution: option 'k10' in section 'A' "
                + "contains an interpolation key which cannot be substituted in 10 steps. Raw value: '${k11}'"),
        Row("a bare word", "[A]\nx\n", "2:1: ParsingError: this is neither a section header nor 'key = value'"),
        Row(
            "a duplicate key", "[A]\nk=1\n K=2\nK=2\n",
            "4:1: DuplicateOptionError: the key 'k' is there twice in this section, first in line 2; remove one"),
        Row(
            "a duplicate section", "[A]\n[B]\n[A]\n",
            "3:1: DuplicateSectionError: the section 'A' is there twice, first in line 1; join them"),
        Row(
            "a key before any section", "k=1\nl=2\n[A]\n",
            "1:1: MissingSectionHeaderError: this comes before any section; begin with a section header, "
                + "such as [DEFAULT]"),
        Row(
            "a byte order mark", "\u{feff}[A]\n",
            "1:1: MissingSectionHeaderError: the file begins with a byte order mark, so that its first line is no "
                + "section header; save it without"),
    ]

    @Test func `Mistakes are all told, not only the first`() {
        let said = value("[A]\nx\nk=1\nk=2\n[A]\n=1\n")
        #expect(said.split(separator: "\n").map { $0.prefix(2) } == ["2:", "4:", "5:", "6:"])
    }

    @Test func `Keys of DEFAULT come first and keep their places`() {
        var configuration = INIConfiguration()
        INIReader.read(
            Array("[DEFAULT]\nx=1\ny=2\n[A]\nz=3\ny=4\n".utf8), file: "f", into: &configuration
        ) { _, _, _ in }
        #expect(configuration.keys(of: "A") == ["x", "y", "z"])
    }

    @Test func `A value that would not fit into memory is refused`() {
        let lines = (0..<9).map { "k\($0)=" + String(repeating: "${k\($0 + 1)}", count: 100) + "\n" }.joined()
        #expect(
            value("[A]\n\(lines)k9=x\n", of: "k0").hasSuffix("the value is too large with everything replaced in it"))
    }
}
