/// Rows of text in aligned columns, indented by two spaces.
struct TextTable: Sendable {
    private let header: [String]
    private var rows: [[String]] = []
    /// The columns that are aligned to the right.
    private let right: Set<Int>

    init(_ header: [String], right: Set<Int>) {
        self.header = header
        self.right = right
    }

    mutating func append(_ row: [String]) { rows.append(row) }

    func lines() -> [StyledText] {
        let widths = header.indices.map { column in
            ([header] + rows).map { TextWidth.of($0[column]) }.max() ?? 0
        }
        return [StyledText(line(header, widths), .dim)] + rows.map { StyledText(line($0, widths)) }
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        let cells = row.enumerated().map { column, text in
            column == row.count - 1 && !right.contains(column)
                ? text : TextWidth.pad(text, columns: widths[column], leading: right.contains(column))
        }
        return "  " + cells.joined(separator: "  ")
    }
}
