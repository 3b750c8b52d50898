import Domain
import TestSupport
import Testing

@Suite struct LedgerTests {
    // MARK: Who pays for what

    /// DESIGN §4.5, every case: job 5, token 2, second 3; 10 tokens, 1.5 s.
    @Test(arguments: [
        (ChargedEnd.completed, 5 + 20 + 6), (.cancelled, 20 + 6), (.holdReached, 20 + 6), (.failed(.consumer), 20 + 6), (.failed(.cargo), 0),
        (.failed(.island), 0), (.failed(.platform), 0), (.failed(.input), 0),
    ])
    func whoPays(end: ChargedEnd, charge: Int) throws {
        let prices = try #require(Prices(perJob: 5, perToken: 2, perSecond: 3))
        #expect(JobCharge.credits(end, prices: prices, tokens: 10, runTime: .milliseconds(1500), held: 1000) == charge)
        #expect(JobCharge.credits(end, prices: prices, tokens: 10, runTime: .milliseconds(1500), held: 7) == min(charge, 7))
        #expect(JobCharge.credits(end, prices: prices, tokens: 10, runTime: .milliseconds(1500), held: 0) == 0)
    }

    @Test func whatNeverRanAndWasCancelledCostsNothing() throws {
        let prices = try #require(Prices(perJob: 5, perToken: 2, perSecond: 3))
        #expect(JobCharge.credits(.cancelled, prices: prices, tokens: 0, runTime: .zero, held: 1000) == 0)
    }

    @Test(
        arguments: [
            (nil, nil, 5 + 2 * 4096 + 3 * 60), (10, nil, 5 + 20 + 180), (0, nil, 5 + 180), (10, 100, 100), (10, 0, 0), (10, 1_000_000, 205),
        ] as [(Int?, Int?, Int)])
    func theWorstCaseIsHeldUpToTheJobsOwnLimit(tokensMax: Int?, creditsMax: Int?, expected: Int) throws {
        let prices = try #require(Prices(perJob: 5, perToken: 2, perSecond: 3))
        #expect(JobCharge.hold(prices: prices, timeout: .seconds(60), tokensMax: tokensMax, creditsMax: creditsMax) == expected)
    }

    @Test func aMeterThatReachesTheHoldStopsTheJob() throws {
        let prices = try #require(Prices(perJob: 5, perToken: 2, perSecond: 0))
        #expect(!JobCharge.isHoldReached(prices: prices, tokens: 10, runTime: .seconds(9), held: 25))
        #expect(JobCharge.isHoldReached(prices: prices, tokens: 11, runTime: .seconds(9), held: 25))
    }

    // MARK: Splitting

    @Test(arguments: [
        (0, 70, 0, 0, 0, 0), (1, 70, 0, 0, 0, 1), (10, 70, 0, 7, 0, 3), (101, 70, 10, 70, 10, 21), (101, 100, 0, 101, 0, 0),
        (101, 0, 0, 0, 0, 101), (100, 100, 50, 100, 0, 0), (100, 70, 100, 70, 30, 0), (99, 33, 33, 32, 32, 35),
    ])
    func theRestIsThePublishers(charge: Int, share: Int, fee: Int, island: Int, platform: Int, publisher: Int) {
        let split = ChargeSplit(charge: charge, revenueShare: share, platformFee: fee)
        #expect([split.island, split.platform, split.publisher] == [island, platform, publisher])
    }

    @Test func noCreditIsLostOrMadeByRounding() {
        var random = SplitMix64(state: 5)
        for _ in 0..<20_000 {
            let charge = Int.random(in: 0...Int.max, using: &random)
            let share = Int.random(in: 0...100, using: &random)
            let fee = Int.random(in: 0...100, using: &random)
            let split = ChargeSplit(charge: charge, revenueShare: share, platformFee: fee)
            #expect(split.island >= 0 && split.platform >= 0 && split.publisher >= 0)
            #expect(split.charge == charge)
            // floor(charge × share / 100), in a width that holds the product.
            #expect(split.island == wideFloor(charge, share))
        }
    }

    private func wideFloor(_ amount: Int, _ percent: Int) -> Int { 100.dividingFullWidth(amount.multipliedFullWidth(by: percent)).quotient }

    // MARK: Transfers

    @Test func everyTransferAddsUpToZero() {
        let split = ChargeSplit(charge: 101, revenueShare: 70, platformFee: 10)
        let transfers = [
            Transfer.grant(500, to: "a"), .grant(-500, to: "a"), .hold(300, of: "a"),
            .settlement(held: 300, split: split, consumerID: "a", islandOwnerID: "b", publisherID: "c"),
            .settlement(held: 300, split: split, consumerID: "a", islandOwnerID: "a", publisherID: "a"),
            .settlement(
                held: 300, split: ChargeSplit(charge: 0, revenueShare: 0, platformFee: 0), consumerID: "a", islandOwnerID: nil, publisherID: "c"),
        ]
        for transfer in transfers {
            #expect(transfer.entries.reduce(0) { $0 + $1.amount } == 0)
            #expect(Set(transfer.entries.map(\.account)).count == transfer.entries.count)
            #expect(transfer.entries.allSatisfy { $0.amount != 0 })
        }
        #expect(
            transfers[3].entries.map { "\($0.account.name) \($0.amount)" } == [
                "holds -300", "platform 10", "wallet/a 199", "wallet/b 70", "wallet/c 21",
            ])
        #expect(transfers[4].entries.map { "\($0.account.name) \($0.amount)" } == ["holds -300", "platform 10", "wallet/a 290"])
        #expect(transfers[5].entries.map { "\($0.account.name) \($0.amount)" } == ["holds -300", "wallet/a 300"])
    }

    @Test func accountsAreReadAsTheyAreWritten() {
        for account in [LedgerAccount.wallet(accountID: "0190-a"), .holds, .platform, .issued] {
            #expect(LedgerAccount(name: account.name) == account)
        }
        for name in ["", "wallet/", "wallet", "hold", "issued/1"] { #expect(LedgerAccount(name: name) == nil) }
        #expect([LedgerAccount.issued, .holds, .platform, .wallet(accountID: "a")].map(\.mayOwe) == [true, false, false, false])
    }
}
