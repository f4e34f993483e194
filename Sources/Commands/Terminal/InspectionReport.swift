package import FactoryCore
import Model

/// What `inspect` found, for a person: each image with its build, its files, and what fits or does not.
package struct InspectionReport: Sendable {
    private let inspection: Inspection

    package init(_ inspection: Inspection) { self.inspection = inspection }

    /// The report's lines.
    package func lines(_ traits: TerminalTraits) -> [String] {
        var lines: [StyledText] = []
        for publication in inspection.publications {
            if !lines.isEmpty { lines.append(StyledText()) }
            lines += self.lines(of: publication, traits)
        }
        return lines.map { $0.rendered(color: traits.color) }
    }

    private func lines(of publication: InspectedPublication, _ traits: TerminalTraits) -> [StyledText] {
        let name = publication.build.map { "\($0.name) \($0.version)" } ?? publication.name
        var lines = [StyledText(Printable.line(name, unicode: traits.unicode), .bold)]
        if let build = publication.build { lines += facts(of: build, traits) }
        for file in publication.files where file.kind == .artifact { lines += [StyledText()] + facts(of: file, traits) }
        if let build = publication.build, !build.steps.isEmpty {
            lines += [StyledText()] + stepTable(build, traits).lines()
        }
        return lines + [StyledText()] + checks(of: publication.files, traits)
    }

    private func facts(of build: BuildFacts, _ traits: TerminalTraits) -> [StyledText] {
        let separator = Glyphs(unicode: traits.unicode).separator
        var rows = [("built by", "image-factory \(build.builder)")]
        if let made = build.steps.map(\.made).max() { rows[0].1 += separator + UTCDate.minute(made) }
        rows.append(("definition", "\(build.definition)"))
        rows.append(("plan", "\(build.plan)"))
        rows.append(("packages", "\(build.packages)"))
        for boot in build.boots {
            rows.append(
                (
                    "boot \(boot.firmware)",
                    "\(Elapsed.exact(boot.seconds)) by \(boot.accelerator.uppercased()), \(words(boot.seen)) seen"
                ))
        }
        rows += build.further.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return list(rows, traits)
    }

    /// `login prompt` of `loginPrompt`.
    private func words(_ name: String) -> String {
        name.map { $0.isUppercase ? " " + $0.lowercased() : String($0) }.joined()
    }

    private func facts(of file: InspectedFile, _ traits: TerminalTraits) -> [StyledText] {
        let sizes = [
            file.virtualSize.map { "\($0) for the machine" }, file.size.map { "\($0) long" },
            file.allocated.map { "\($0) on disk" },
        ]
        let rows = [
            ("format", ([file.format ?? ""] + file.header).joined(separator: ", ")),
            ("size", sizes.compactMap(\.self).joined(separator: ", ")), ("sha256", file.digest?.hex ?? ""),
        ]
        return [StyledText("  " + Printable.line(file.file, unicode: traits.unicode))]
            + list(rows.filter { !$0.1.isEmpty }, traits, indent: 4)
    }

    private func list(_ rows: [(String, String)], _ traits: TerminalTraits, indent: Int = 2) -> [StyledText] {
        let width = rows.map { TextWidth.of($0.0) }.max() ?? 0
        return rows.map { label, value in
            let name = TextWidth.pad(Printable.line(label, unicode: traits.unicode), columns: width)
            var line = StyledText(String(repeating: " ", count: indent) + name + "  ", .dim)
            line.append(Printable.line(value, unicode: traits.unicode))
            return line
        }
    }

    private func stepTable(_ build: BuildFacts, _ traits: TerminalTraits) -> TextTable {
        var table = TextTable(["Step", "Time", "Made", "Id"], right: [1])
        for step in build.steps {
            table.append([
                Printable.line(step.name, unicode: traits.unicode), Elapsed.exact(step.seconds),
                UTCDate.minute(step.made), String(step.id.hex.prefix(12)),
            ])
        }
        return table
    }

    /// A line for each file, and one more for each thing that is wrong with it.
    private func checks(of files: [InspectedFile], _ traits: TerminalTraits) -> [StyledText] {
        let glyphs = Glyphs(unicode: traits.unicode)
        let names = files.map { Printable.line($0.file, unicode: traits.unicode) }
        let width = names.map { TextWidth.of($0) }.max() ?? 0
        var lines: [StyledText] = []
        for (file, name) in zip(files, names) {
            for problem in file.problems {
                var line = glyphs.mark(.failed)
                line.append(" \(name): " + Printable.line(problem, unicode: traits.unicode), .red)
                lines.append(line)
            }
            guard file.problems.isEmpty else { continue }
            // What nothing was compared with is neither good nor bad.
            var line = file.agreements.isEmpty ? StyledText("-", .dim) : glyphs.mark(.succeeded)
            line.append(" " + TextWidth.pad(name, columns: width) + "  ")
            line.append(file.agreements.joined(separator: ", "))
            let notes = file.notes.joined(separator: ", ")
            if !notes.isEmpty { line.append((file.agreements.isEmpty ? "" : glyphs.separator) + notes, .dim) }
            lines.append(line)
        }
        return lines
    }
}
