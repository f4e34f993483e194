/// The one source of wall-clock time of a build, passed in so that tests and reproducible builds choose it.
package struct WallClock: Sendable {
    /// Seconds since 1970.
    package var now: @Sendable () -> Double

    package init(now: @escaping @Sendable () -> Double) { self.now = now }
}
