package import Model
import Synchronization

/// Numbers the events of one build and hands each to its consumers, in order.
package final class EventLog: Sendable {
    private let clock: WallClock
    private let consumers: [@Sendable (BuildEvent) -> Void]
    private let count = Mutex(0)

    package init(clock: WallClock, consumers: [@Sendable (BuildEvent) -> Void]) {
        self.clock = clock
        self.consumers = consumers
    }

    /// Consumers are called under the log's lock, so that each sees the numbers in order: they must be quick.
    package func send(_ kind: BuildEvent.Kind) {
        count.withLock { number in
            number += 1
            let event = BuildEvent(number: number, time: clock.now(), kind: kind)
            for consumer in consumers { consumer(event) }
        }
    }
}
