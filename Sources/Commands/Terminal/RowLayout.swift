/// Where the columns of the running steps stand: mark, name, activity, bar, amount, time.
struct RowLayout: Hashable {
    let width: Int
    let name: Int
    /// Cells for an activity without bar and amount.
    let room: Int
    /// Cells for an activity with both.
    let activity: Int
    /// Cells of the bar, 0 for none.
    let bar: Int
    /// Cells of the amount, 0 for none.
    let amount: Int
    /// Whether amounts are percentages because the whole text has no place.
    let usesShortAmount: Bool
    private let elapsed: Int

    private static let gap = 2
    private static let bars = 10...24
    private static let activityWanted = 20
    private static let activityNeeded = 10

    init(running: [BuildState.StepState], state: BuildState, width: Int, now: Double) {
        self.width = width
        let longest = state.steps.map { TextWidth.of($0.name) }.max() ?? 0
        name = min(longest, 20, max(8, width / 3))
        elapsed = running.map { TextWidth.of(Elapsed.whole(now - ($0.start ?? now))) }.max().map { max($0, 4) } ?? 4
        room = max(0, width - 2 - name - Self.gap - Self.gap - elapsed)
        let amounts = running.compactMap(\.progress)
        let full = amounts.map(\.widest).max() ?? 0
        let short = amounts.map { $0.total == nil ? TextWidth.of($0.text) : 5 }.max() ?? 0
        let wanted = running.filter { $0.progress != nil }.map { TextWidth.of($0.activity) }.max() ?? 0
        let hasBar = amounts.contains { $0.total != nil }

        let barRoom = room - Self.gap - full - Self.gap - max(Self.activityWanted, min(wanted, 40))
        if amounts.isEmpty {
            (bar, amount, usesShortAmount) = (0, 0, false)
        } else if hasBar, barRoom >= Self.bars.lowerBound {
            (bar, amount, usesShortAmount) = (min(barRoom, Self.bars.upperBound), full, false)
        } else if room >= full + Self.gap + Self.activityWanted {
            (bar, amount, usesShortAmount) = (0, full, false)
        } else if room >= short + Self.gap + Self.activityNeeded {
            (bar, amount, usesShortAmount) = (0, short, true)
        } else {
            (bar, amount, usesShortAmount) = (0, 0, false)
        }
        let taken = (bar > 0 ? bar + Self.gap : 0) + (amount > 0 ? amount + Self.gap : 0)
        activity = max(0, room - taken)
    }

    /// Where the activity begins.
    private var activityStart: Int { 2 + name + Self.gap }

    var barStart: Int { bar > 0 ? activityStart + activity + Self.gap : activityStart + activity }

    /// Where the amount ends: it is aligned to the right.
    var amountEnd: Int { activityStart + room }

    /// Where the last line of the step's log begins.
    var indent: Int { width >= 60 ? activityStart : 4 }
}
