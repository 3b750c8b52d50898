/// How long submissions wait for review, in whole seconds; all 0 for an empty queue.
public struct WaitingTimes: Sendable, Hashable {
    /// Half of them wait at most so long.
    public let median: Int
    /// Nine of ten wait at most so long.
    public let ninetieth: Int
    /// The longest.
    public let longest: Int

    /// Percentiles by the nearest-rank method: the value at position `⌈p·n⌉` of the `n` sorted ones.
    ///
    /// Known value: of 1…10 the median is 5, the 90th percentile 9, the longest 10.
    public init(seconds: [Int]) {
        let sorted = seconds.sorted()
        func rank(_ percent: Int) -> Int { sorted.isEmpty ? 0 : sorted[(percent * sorted.count + 99) / 100 - 1] }
        (median, ninetieth, longest) = (rank(50), rank(90), rank(100))
    }
}
