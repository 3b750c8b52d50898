import Domain
import Testing

@Suite struct PricesTests {
    @Test(arguments: [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 2, 3), (1_000_000_000, 0, 0), (0, 1_000_000_000, 1_000_000_000)])
    func takesOnePriceOrMore(perJob: Int, perToken: Int, perSecond: Int) throws {
        let prices = try #require(Prices(perJob: perJob, perToken: perToken, perSecond: perSecond))
        #expect([prices.perJob, prices.perToken, prices.perSecond] == [perJob, perToken, perSecond])
    }

    @Test(arguments: [
        (0, 0, 0), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (1_000_000_001, 0, 0), (0, 1_000_000_001, 0), (0, 0, 1_000_000_001), (Int.min, 0, 1),
        (Int.max, 0, 0),
    ])
    func refusesNoPriceNegativeOnesAndAbsurdOnes(perJob: Int, perToken: Int, perSecond: Int) {
        #expect(Prices(perJob: perJob, perToken: perToken, perSecond: perSecond) == nil)
    }

    /// DESIGN §4.5: charge = job + token × tokens + second × ceil(run seconds).
    @Test(arguments: [
        (5, 0, 0, 0, Duration.zero, 5), (5, 2, 0, 10, .zero, 25), (0, 0, 3, 0, .zero, 0), (0, 0, 3, 0, .nanoseconds(1), 3),
        (0, 0, 3, 0, .milliseconds(1), 3), (0, 0, 3, 0, .milliseconds(999), 3), (0, 0, 3, 0, .milliseconds(1000), 3),
        (0, 0, 3, 0, .milliseconds(1001), 6), (0, 0, 3, 0, .seconds(60), 180), (1, 2, 3, 4, .milliseconds(1500), 1 + 8 + 6),
        (0, 1, 0, 0, .seconds(10), 0), (7, 1, 1, -5, .seconds(-3), 7),
    ])
    func chargesBegunSeconds(perJob: Int, perToken: Int, perSecond: Int, tokens: Int, runTime: Duration, expected: Int) throws {
        let prices = try #require(Prices(perJob: perJob, perToken: perToken, perSecond: perSecond))
        #expect(prices.charge(tokens: tokens, runTime: runTime) == expected)
    }

    @Test func absurdCountsSaturateAndNeverTrap() throws {
        let most = 1_000_000_000
        let prices = try #require(Prices(perJob: most, perToken: most, perSecond: most))
        let charge = prices.charge(tokens: Int.max, runTime: .seconds(Int64.max))
        #expect(charge > most)
        #expect(charge <= Int.max)
        #expect(prices.charge(tokens: Int.max, runTime: .zero) >= prices.charge(tokens: Int.max / 2, runTime: .zero))
    }

    @Test(arguments: [
        (100, 0, 0, Int?.none), (100, 0, 3, 33), (100, 10, 3, 30), (10, 10, 3, 0), (0, 10, 3, 0), (100, 10, 90, 1), (100, 10, 91, 0),
    ])
    func anAmountLastsForItsSeconds(credits: Int, perJob: Int, perSecond: Int, expected: Int?) throws {
        let prices = try #require(Prices(perJob: perJob, perToken: 1, perSecond: perSecond))
        #expect(prices.secondsPaid(by: credits, tokens: 0) == expected)
        guard let expected, expected > 0 else { return }
        #expect(prices.charge(tokens: 0, runTime: .seconds(expected)) <= credits)
        #expect(prices.charge(tokens: 0, runTime: .seconds(expected) + .milliseconds(1)) > credits)
    }

    /// DESIGN §4.5: timeout of the level; tokens = `max_tokens`, else 4096.
    @Test(arguments: [
        (TrustLevel.untrusted, Int?.none, 1 + 2 * 4096 + 3 * 60), (.basic, nil, 1 + 2 * 4096 + 3 * 300), (.verified, 10, 1 + 20 + 3 * 300),
        (.official, 0, 1 + 3 * 600),
    ])
    func theWorstCaseIsTheLevelsTimeoutAndAllTokens(level: TrustLevel, tokens: Int?, expected: Int) throws {
        let prices = try #require(Prices(perJob: 1, perToken: 2, perSecond: 3))
        #expect(JobCharge.hold(prices: prices, timeout: level.limits.timeout, tokensMax: tokens, creditsMax: nil) == expected)
    }
}
