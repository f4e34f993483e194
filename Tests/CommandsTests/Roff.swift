/// Text for man(7).
enum Roff {
    static func text(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("…", with: "...")
        return escaped.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }.joined(separator: "\n")
    }

    static func bold(_ text: String) -> String { "\\fB\(self.text(text))\\fR" }

    static func italic(_ text: String) -> String { "\\fI\(self.text(text))\\fR" }

    static func head(_ name: String, _ section: String, _ summary: String) -> String {
        ".\\\" Made by the tests: UPDATE_GOLDENS=1 swift test --filter ManualPageTests\n"
            + ".TH \(name.uppercased()) \(section) \"\" \"image\\-factory\"\n"
            + ".SH NAME\n\(text(name)) \\- \(text(summary))\n"
    }
}
