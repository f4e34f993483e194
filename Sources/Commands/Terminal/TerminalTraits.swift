import Glibc

/// What may be sent to an output: found once, before the first line.
package struct TerminalTraits: Hashable, Sendable {
    /// Whether the cursor can be moved: a terminal that is not `dumb`.
    package var canRedraw: Bool
    /// Whether characters beyond ASCII are shown as such.
    package var unicode: Bool
    package var color: Bool

    package init(canRedraw: Bool, unicode: Bool, color: Bool) {
        self.canRedraw = canRedraw
        self.unicode = unicode
        self.color = color
    }

    /// The traits of an output in an environment. What is no terminal gets UTF-8 without colours.
    package init(isTerminal: Bool, environment: (String) -> String?) {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        let kind = value("TERM") ?? "dumb"
        let locale = value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? "C"
        let isUTF8 = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
        canRedraw = isTerminal && kind != "dumb"
        // The font of the kernel's own console has no marks, bars or spinners.
        unicode = !isTerminal || (isUTF8 && kind != "linux")
        color = canRedraw && value("NO_COLOR") == nil
    }

    /// The traits of an open file of this process.
    package init(descriptor: Int32) {
        self.init(isTerminal: isatty(descriptor) == 1) { name in getenv(name).map { String(cString: $0) } }
    }
}

/// The size of a terminal in character cells.
struct TerminalSize: Hashable, Sendable {
    var columns: Int
    var rows: Int

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// The size now; 80 × 24 where the terminal does not know it.
    init(descriptor: Int32) {
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        columns = known && size.ws_col > 0 ? Int(size.ws_col) : 80
        rows = known && size.ws_row > 0 ? Int(size.ws_row) : 24
    }
}
