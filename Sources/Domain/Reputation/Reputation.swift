/// How well a Cargo does its jobs, `0...1`, without unit.
public struct Reputation: Sendable, Hashable {
    /// Jobs that count, the newest at most. Source: DESIGN §4.4.
    public static let jobsMax = 1000

    /// The number.
    public let value: Double

    /// The reputation that outcomes support. Only successes and failures by the Cargo's own fault count.
    ///
    /// `S · (0.8 + 0.2·D) · (0.5 + 0.5·C)` with `S = (s + 4) / (n + 5)`, `D = 1 − min(1, d/T)`, `C = max(0, 1 − 20·k / max(n, 50))`, where `n`
    /// are the counted jobs, `s` those that succeeded, `d` the 95th percentile of their run time (nearest rank; 0 for none), `T` the timeout
    /// of the level and `k` the open or upheld complaints.
    ///
    /// Source: DESIGN §4.4. Known value: nothing known gives 0.8; 100 of 100 in no time gives 104/105.
    ///
    /// - Parameters:
    ///   - runs: every counted job: whether it succeeded, and how long it ran, in milliseconds.
    ///   - timeoutMilliseconds: above 0.
    ///   - complaints: at least 0.
    public init(runs: [(succeeded: Bool, milliseconds: Int)], timeoutMilliseconds: Int, complaints: Int) {
        let count = Double(runs.count)
        let success = (Double(runs.filter(\.succeeded).count) + 4) / (count + 5)
        let sorted = runs.map(\.milliseconds).sorted()
        let slow = sorted.isEmpty ? 0 : sorted[(95 * sorted.count + 99) / 100 - 1]
        let speed = 1 - min(1, Double(slow) / Double(timeoutMilliseconds))
        let calm = max(0, 1 - 20 * Double(complaints) / max(count, 50))
        value = success * (0.8 + 0.2 * speed) * (0.5 + 0.5 * calm)
    }
}
