/// The time of day as a process counts it: read once from the machine's clock, then moved on by one that nobody sets.
///
/// Leases, meters and timeouts are differences of two times. Read from the machine's clock, an hour's correction of that clock would end
/// every lease at once, and bill an hour that nobody ran.
public struct SteadyTime: Sendable {
    private let start: Timestamp
    private let elapsed: @Sendable () -> Duration

    /// Begins to count.
    ///
    /// - Parameters:
    ///   - start: what the machine's clock says now.
    ///   - elapsed: how long ago that was.
    public init(from start: Timestamp, elapsed: @escaping @Sendable () -> Duration) {
        self.start = start
        self.elapsed = elapsed
    }

    /// Begins to count by the system's clock that runs on in sleep, too.
    public init(from start: Timestamp) {
        let begun = ContinuousClock.now
        self.init(from: start) { ContinuousClock.now - begun }
    }

    /// The time now.
    public var now: Timestamp { start + elapsed() }

    /// How much of a gap in which no process counted is left out of a meter.
    ///
    /// An attempt is let run for a lease's length without being heard of, so up to that the gap counts. What is longer, or negative, is a clock
    /// that was set, or a coordinator that was away for so long that nobody knows what ran.
    ///
    /// - Returns: what to move the beginning of a measured time by; negative where the clock was set back.
    public static func unmetered(from seen: Timestamp, to now: Timestamp, most: Duration) -> Duration {
        let gap = now.milliseconds - seen.milliseconds
        return .milliseconds(gap - min(max(0, gap), most.milliseconds))
    }
}
