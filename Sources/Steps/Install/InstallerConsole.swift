import Engine
import Synchronization

/// Tells the lines of an installer's serial ports as a step's log, and its stage as what the step does. A console
/// without end is no reason for a log without end: what comes too fast is left out, with a note.
final class InstallerConsole: Sendable {
    private struct State {
        var lines = ScreenLines()
        var budget = LineBudget()
    }

    private let report: StepReport
    private let console = Mutex(State())
    private let installerLog = Mutex(State())
    private let stages = Mutex((recognizer: InstallerStages(), lastChange: ContinuousClock.now - .seconds(1)))

    init(_ report: StepReport) { self.report = report }

    func appendConsole(_ bytes: [UInt8]) { append(bytes, to: console) }

    func appendReport(_ bytes: [UInt8]) { append(bytes, to: installerLog) }

    /// A line of the program that runs the machine.
    func note(_ line: String) { report.log(line) }

    private func append(_ bytes: [UInt8], to port: borrowing Mutex<State>) {
        let (lines, omitted) = port.withLock { state -> ([String], Int) in
            let lines = state.lines.adding(bytes)
            return (lines.filter { _ in state.budget.allows(at: ContinuousClock.now) }, state.budget.takeOmitted())
        }
        if omitted > 0 { report.log("[\(omitted) lines are in the installer's log only]") }
        for line in lines {
            report.log(line)
            if let stage = newStage(line) { report.begin(stage.description) }
        }
    }

    /// Packages change faster than one can read.
    private func newStage(_ line: String) -> InstallerStages.Stage? {
        stages.withLock { stages in
            let before = stages.recognizer.stage
            guard let stage = stages.recognizer.read(line) else { return nil }
            let now = ContinuousClock.now
            guard stage.text != before?.text || now - stages.lastChange >= .milliseconds(500) else { return nil }
            stages.lastChange = now
            return stage
        }
    }
}

/// Cuts what a console shows into lines of plain text: also where the cursor goes elsewhere, as windows are drawn.
struct ScreenLines: Sendable {
    private static let longest = 512
    private var escape = EscapeFilter(movesEndLines: true)
    private var line: [UInt8] = []

    /// The lines that these bytes complete, printable, without empty ones.
    mutating func adding(_ bytes: [UInt8]) -> [String] {
        var found: [String] = []
        for byte in bytes {
            guard let byte = escape.filter(byte) else { continue }
            if byte != 0x0a, byte != 0x0d, line.count < Self.longest {
                line.append(byte)
                continue
            }
            let text = SerialText.printable(line)
            line.removeAll(keepingCapacity: true)
            if byte != 0x0a, byte != 0x0d { line.append(byte) }
            if !text.allSatisfy({ $0 == " " }) { found.append(text) }
        }
        return found
    }
}

/// How many lines may be shown: a burst, and then so many for each second. Pure: the time comes in.
struct LineBudget: Sendable {
    private static let burst = 2000.0
    private static let perSecond = 200.0
    private var left = Self.burst
    private var last: ContinuousClock.Instant?
    private var omitted = 0

    /// Whether one more line may be shown.
    mutating func allows(at now: ContinuousClock.Instant) -> Bool {
        if let last { left = min(Self.burst, left + (now - last) / .seconds(1) * Self.perSecond) }
        last = now
        guard left >= 1 else {
            omitted += 1
            return false
        }
        left -= 1
        return true
    }

    /// How many lines were left out, once lines are shown again.
    mutating func takeOmitted() -> Int {
        guard left >= 1 else { return 0 }
        defer { omitted = 0 }
        return omitted
    }
}
