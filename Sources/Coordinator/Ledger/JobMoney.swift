import Domain
import JSON
import Storage

/// Moves a job's credits, in the transaction that moves the job.
struct JobMoney: Sendable {
    /// The platform's percent of each charge.
    let platformFee: Int

    /// Insists that several new jobs of one Consumer can all be paid for; asked before anything of them is stored.
    ///
    /// - Throws: `paymentRequired` (`insufficient_credits`).
    func requireCredits(for rows: [JobRow], in reader: any SQLReader) throws {
        guard let consumerID = rows.first?.consumerID else { return }
        let needed = rows.reduce(0) { total, row in
            let (sum, isTooMuch) = total.addingReportingOverflow(row.held)
            return isTooMuch ? .max : sum
        }
        let available = try reader.ledgerBalance(account: LedgerAccount.wallet(accountID: consumerID).name)
        guard needed <= available else { throw ServiceError.insufficientCredits(needed: needed, available: available) }
    }

    /// What sets the worst case of a new job aside, for which its Consumer has credits; asked before anything of the job is stored.
    ///
    /// - Throws: `paymentRequired` (`insufficient_credits`).
    func hold(for row: JobRow, at now: Timestamp, in reader: any SQLReader) throws -> LedgerBooking {
        // Compared before a transfer is made of it: a price times a number of tokens may be more than all credits there are.
        guard row.held <= Transfer.creditsMax else {
            let available = try reader.ledgerBalance(account: LedgerAccount.wallet(accountID: row.consumerID).name)
            throw ServiceError.insufficientCredits(needed: row.held, available: available)
        }
        return try reader.booking(.hold(row.held, of: row.consumerID), job: row.id, by: row.consumerID, at: now)
    }

    /// Gives a job's credits to whom they belong. The row is changed, not stored.
    ///
    /// - Parameters:
    ///   - islandOwner: whose the current attempt's Island is; `nil` if there is none.
    ///   - runTime: of the current attempt; zero if its Cargo has not started.
    func settle(
        _ row: inout JobRow, _ end: ChargedEnd, terms: JobTerms, islandOwner owner: String?, runTime: Duration, at now: Timestamp,
        in writer: any SQLWriter
    ) throws {
        let charge = JobCharge.credits(end, prices: terms.prices, tokens: row.tokens, runTime: runTime, held: row.held)
        let split = ChargeSplit(charge: charge, revenueShare: owner == nil ? 0 : terms.revenueShare, platformFee: platformFee)
        try writer.book(
            .settlement(
                held: row.held, split: split, consumerID: row.consumerID, islandOwnerID: owner, publisherID: terms.publisherID),
            job: row.id, by: "system", at: now)
        row.creditsUsed = charge
        row.held = 0
    }
}

extension JobRow {
    /// When a running job's meter reaches what is held for it, if no more tokens come; `nil` if that cannot be before its timeout.
    func paidUntil(_ terms: JobTerms) -> Timestamp? {
        guard let startedAt, state == JobState.running.rawValue else { return nil }
        // A job that may use all its time for what is held ends by its timeout, which is the Cargo's fault and costs nothing.
        guard let seconds = terms.prices.secondsPaid(by: held, tokens: tokens), seconds * 1000 < timeoutMilliseconds else { return nil }
        return Timestamp(milliseconds: startedAt) + .seconds(seconds)
    }

    /// Notes that it is over.
    mutating func complete(at now: Timestamp) {
        completedAt = now.milliseconds
        keepUntil = now.milliseconds + retentionHours * 3_600_000
    }

    /// How long the Cargo of the current attempt has run by a moment, and no longer than it may; `nil` if it does not run.
    func runTime(at now: Timestamp) -> Duration? {
        guard state == JobState.running.rawValue, let startedAt else { return nil }
        return .milliseconds(min(max(0, now.milliseconds - startedAt), timeoutMilliseconds))
    }
}
