import Glibc
package import Model

/// What a build made and what it took: shown after its success.
package struct BuildSummary: Sendable {
    package struct File: Sendable {
        package var path: String
        /// What a machine sees of a disk; the length of any other file.
        package var size: ByteCount
        /// What the file occupies on the host's disk.
        package var allocated: ByteCount
        package var digest: Digest

        package init(path: String, size: ByteCount, allocated: ByteCount, digest: Digest) {
            self.path = path
            self.size = size
            self.allocated = allocated
            self.digest = digest
        }
    }

    package struct Step: Hashable, Sendable {
        package var name: String
        package var outcome: BuildEvent.Outcome
        package var seconds: Double

        package init(name: String, outcome: BuildEvent.Outcome, seconds: Double) {
            self.name = name
            self.outcome = outcome
            self.seconds = seconds
        }
    }

    /// What was built: `web-1.0`.
    package var name: String
    package var files: [File]
    package var steps: [Step]
    package var seconds: Double
    /// What became of the lock, where it was made anew.
    package var lockChanges: LockChanges?

    package init(
        name: String, files: [File], steps: [Step], seconds: Double, lockChanges: LockChanges? = nil
    ) {
        self.name = name
        self.files = files
        self.steps = steps
        self.seconds = seconds
        self.lockChanges = lockChanges
    }

    /// Writes the summary.
    package func write(to descriptor: Int32 = STDERR_FILENO) {
        let traits = TerminalTraits(descriptor: descriptor)
        _ = TextOutput(descriptor: descriptor).write(lines(traits).map { $0 + "\n" }.joined())
    }

    /// The summary's lines. They are not shortened: a path is there to be copied.
    package func lines(_ traits: TerminalTraits) -> [String] {
        var lines = [StyledText(), headline(traits)]
        if !files.isEmpty { lines += [StyledText()] + fileTable(traits).lines() }
        if !steps.isEmpty { lines += [StyledText()] + stepTable.lines() }
        if let lockChanges { lines += [StyledText()] + lockLines(lockChanges, traits) }
        return lines.map { $0.rendered(color: traits.color) }
    }

    private func lockLines(_ lock: LockChanges, _ traits: TerminalTraits) -> [StyledText] {
        let changes = lock.changes
        var title = StyledText()
        title.append(changes.isEmpty ? "  The lock has not changed" : "  Changes of the lock", .bold)
        let arrow = traits.unicode ? "→" : "->"
        return [title]
            + changes.map { package, change in
                var line = StyledText()
                switch change {
                case .added(let version): line.append("    added       \(package) \(version)")
                case .removed(let version): line.append("    removed     \(package) \(version)")
                case .upgraded(let old, let new): line.append("    upgraded    \(package) \(old) \(arrow) \(new)")
                case .downgraded(let old, let new): line.append("    downgraded  \(package) \(old) \(arrow) \(new)")
                case .rebuilt(let version): line.append("    rebuilt     \(package) \(version)")
                }
                return line
            }
    }

    private func headline(_ traits: TerminalTraits) -> StyledText {
        let reused = steps.filter { $0.outcome == .reused }.count
        let separator = Glyphs(unicode: traits.unicode).separator
        var line = Glyphs(unicode: traits.unicode).mark(.succeeded)
        line.append(" Built ")
        line.append(Printable.line(name, unicode: traits.unicode), .bold)
        line.append(" in \(Elapsed.exact(seconds))")
        if reused > 0 { line.append("\(separator)\(reused) of \(steps.count) steps reused", .dim) }
        return line
    }

    private func fileTable(_ traits: TerminalTraits) -> TextTable {
        var table = TextTable(["File", "Size", "On disk", "SHA-256"], right: [1, 2])
        for file in files {
            let path = Printable.line(file.path, unicode: traits.unicode)
            table.append([path, "\(file.size)", "\(file.allocated)", String(file.digest.hex.prefix(12))])
        }
        return table
    }

    private var stepTable: TextTable {
        var table = TextTable(["Step", "Time"], right: [1])
        for step in steps {
            table.append([Printable.line(step.name), step.outcome == .reused ? "reused" : Elapsed.exact(step.seconds)])
        }
        table.append(["total", Elapsed.exact(seconds)])
        return table
    }
}
