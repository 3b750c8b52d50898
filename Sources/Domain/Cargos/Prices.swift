/// What a job on a Cargo costs, in whole credits.
public struct Prices: Sendable, Hashable {
    /// Credits for each completed job.
    public let perJob: Int
    /// Credits for each `token` frame.
    public let perToken: Int
    /// Credits for each begun second of run time.
    public let perSecond: Int

    /// Chosen: the largest price, so that no charge of a job can overflow 64 bits.
    public static let priceMax = 1_000_000_000
    /// The tokens that the worst case counts when the input has no `max_tokens`. Source: DESIGN §4.5.
    public static let tokensAssumed = 4096

    /// Prices, each in `0...priceMax`, not all zero.
    public init?(perJob: Int, perToken: Int, perSecond: Int) {
        let all = [perJob, perToken, perSecond]
        guard all.allSatisfy((0...Self.priceMax).contains), all.contains(where: { $0 > 0 }) else { return nil }
        self.perJob = perJob
        self.perToken = perToken
        self.perSecond = perSecond
    }

    /// What a completed job is charged, in credits: `perJob + perToken × tokens + perSecond × ceil(run time in seconds)`.
    ///
    /// - Parameters:
    ///   - tokens: `token` frames counted by the coordinator, at least 0.
    ///   - runTime: wall-clock time of the accepted attempt.
    public func charge(tokens: Int, runTime: Duration) -> Int { perJob + meter(tokens: tokens, runTime: runTime) }

    /// What a job has used so far, in credits: ``charge(tokens:runTime:)`` without the price of the job.
    public func meter(tokens: Int, runTime: Duration) -> Int {
        let (seconds, attoseconds) = runTime.components
        let begun = Int(seconds) + (attoseconds > 0 ? 1 : 0)
        return Self.product(perToken, tokens) + Self.product(perSecond, begun)
    }

    /// For how many seconds of run time an amount lasts, beside the price of the job and its tokens; `nil` where time costs nothing.
    ///
    /// - Parameter credits: what may be spent, in credits.
    public func secondsPaid(by credits: Int, tokens: Int) -> Int? {
        guard perSecond > 0 else { return nil }
        return max(0, credits - perJob - Self.product(perToken, tokens)) / perSecond
    }

    /// Saturates, so that an absurd count cannot trap; a third of the range each leaves the sum room.
    private static func product(_ price: Int, _ count: Int) -> Int {
        let (value, overflow) = price.multipliedReportingOverflow(by: max(0, count))
        return overflow ? Int.max / 3 : min(value, Int.max / 3)
    }
}
