import Model

/// What the events so far say about a build: the values that lines are drawn from.
struct BuildState: Sendable {
    struct StepState: Sendable {
        let name: String
        var title: String
        var activity: String
        /// Seconds since 1970; nil before the step starts or waits.
        var start: Double?
        var isStarted = false
        var progress: Progress?
        var lastLine: String?
        var outcome: BuildEvent.Outcome?
        var seconds = 0.0

        var isRunning: Bool { start != nil && outcome == nil }
    }

    /// In the order of the plan.
    private(set) var steps: [StepState] = []
    /// The time of the first event, in seconds since 1970.
    private(set) var start: Double?
    private(set) var hasEnded = false
    /// Whether the build was asked to stop.
    var isStopping = false
    private var places: [String: Int] = [:]

    var running: [StepState] { steps.filter(\.isRunning) }

    func step(_ name: String) -> StepState? { places[name].map { steps[$0] } }

    mutating func apply(_ event: BuildEvent) {
        start = start ?? event.time
        switch event.kind {
        case .planned(let summaries):
            for summary in summaries { change(summary.name) { $0.title = summary.title } }
        case .started(let step, let activity):
            change(step) { $0.begin(activity, at: event.time) }
        case .progress(let step, let done, let total, let unit):
            change(step) { $0.progress = Progress(done: done, total: total, unit: unit) }
        case .log(let step, let line):
            // A step that logs before it starts waits for something: it is shown from then on.
            change(step) { state in
                state.lastLine = line
                state.start = state.start ?? event.time
            }
        case .warning, .note: break
        case .finished(let step, let outcome, let seconds):
            change(step) { state in
                state.outcome = outcome
                state.seconds = seconds
            }
        case .ended: hasEnded = true
        }
    }

    private mutating func change(_ name: String, _ body: (inout StepState) -> Void) {
        if places[name] == nil {
            places[name] = steps.count
            steps.append(StepState(name: name, title: "", activity: ""))
        }
        if let place = places[name] { body(&steps[place]) }
    }
}

extension BuildState.StepState {
    /// A step that is at work already may begin its next activity: its time goes on, its bar starts anew.
    fileprivate mutating func begin(_ activity: String, at time: Double) {
        if !isStarted { start = time }
        isStarted = true
        self.activity = activity
        progress = nil
    }
}
