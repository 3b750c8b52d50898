/// How a job was over, as far as money is concerned.
public enum ChargedEnd: Sendable, Hashable {
    /// Its accepted attempt ended well.
    case completed
    /// Its Consumer ended it.
    case cancelled
    /// Its meter reached what was held for it.
    case holdReached
    /// It failed, by whose fault ever.
    case failed(FaultClass)
}

/// What a job costs in the end: one place for every case of who pays for what. Source: DESIGN §4.5.
public enum JobCharge {
    /// The code of the end at which the meter reached the hold.
    public static let holdReachedCode = "credits_exhausted"

    /// The charge in credits, `0...held`.
    ///
    /// | end | charged |
    /// |---|---|
    /// | completed | price of the job, tokens, begun seconds |
    /// | cancelled, or the hold reached, while the Cargo runs | tokens and begun seconds so far |
    /// | cancelled before it ran | nothing |
    /// | fault `cargo`, `island`, `platform`, `input` | nothing |
    ///
    /// - Parameters:
    ///   - tokens: `token` frames of the current attempt that the coordinator has counted.
    ///   - runTime: of the current attempt; zero if its Cargo has not started.
    public static func credits(_ end: ChargedEnd, prices: Prices, tokens: Int, runTime: Duration, held: Int) -> Int {
        switch end {
        case .completed: min(prices.charge(tokens: tokens, runTime: runTime), held)
        case .cancelled, .holdReached, .failed(.consumer): min(prices.meter(tokens: tokens, runTime: runTime), held)
        case .failed(.cargo), .failed(.island), .failed(.platform), .failed(.input): 0
        }
    }

    /// What is set aside when a job is sent: the most that it can cost.
    ///
    /// - Parameters:
    ///   - timeout: what the job may take.
    ///   - tokensMax: the input's `max_tokens`; `nil` for ``Prices/tokensAssumed``.
    ///   - creditsMax: the job's own limit; `nil` for none.
    public static func hold(prices: Prices, timeout: Duration, tokensMax: Int?, creditsMax: Int?) -> Int {
        let worst = prices.charge(tokens: tokensMax ?? Prices.tokensAssumed, runTime: timeout)
        return min(worst, creditsMax ?? worst)
    }

    /// Whether a running job must be stopped: what it would cost if it ended now is more than what is held for it.
    public static func isHoldReached(prices: Prices, tokens: Int, runTime: Duration, held: Int) -> Bool {
        prices.charge(tokens: tokens, runTime: runTime) > held
    }
}
