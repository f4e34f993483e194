import Model

@testable import Commands

/// Makes events with numbers, at times counted in seconds from the build's start.
struct EventMaker {
    static let epoch = 1_700_000_000.0
    private var number = 0

    mutating func at(_ seconds: Double, _ kind: BuildEvent.Kind) -> BuildEvent {
        number += 1
        return BuildEvent(number: number, time: Self.epoch + seconds, kind: kind)
    }

    static func events(_ kinds: [(Double, BuildEvent.Kind)]) -> [BuildEvent] {
        var maker = EventMaker()
        return kinds.map { maker.at($0, $1) }
    }

    static let plan = BuildEvent.Kind.planned(steps: [
        .init(name: "bootstrap", title: "installing debian trixie"),
        .init(name: "configure", title: "configuring the tree"),
        .init(name: "disk", title: "making the disk"),
        .init(name: "qcow2", title: "writing web-1.0.qcow2"),
    ])

    /// The state after events.
    static func state(_ kinds: [(Double, BuildEvent.Kind)]) -> BuildState {
        events(kinds).reduce(into: BuildState()) { $0.apply($1) }
    }
}

extension TerminalTraits {
    static let ascii = TerminalTraits(canRedraw: true, unicode: false, color: false)
    static let unicode = TerminalTraits(canRedraw: true, unicode: true, color: false)
    static let colored = TerminalTraits(canRedraw: true, unicode: true, color: true)
}
