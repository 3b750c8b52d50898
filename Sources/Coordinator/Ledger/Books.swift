import Domain
import JSON
import Storage

extension SQLReader {
    /// What an account can spend, and what of its credits is set aside for its jobs.
    func wallet(of accountID: String) throws -> Wallet {
        Wallet(credits: try ledgerBalance(account: LedgerAccount.wallet(accountID: accountID).name), held: try creditsHeld(consumerID: accountID))
    }
}

extension SQLReader {
    /// Looks what a transfer is booked on, and refuses one that cannot be; changes nothing yet.
    ///
    /// - Throws: `paymentRequired` (`insufficient_credits`) when an account would have less than nothing.
    func booking(_ transfer: Transfer, job: String? = nil, by actor: String, note: String = "", at now: Timestamp) throws -> LedgerBooking {
        let booking = try booking(
            LedgerTransferRow(
                kind: transfer.kind.rawValue, jobID: job, actorID: actor, note: note, at: now.milliseconds,
                entries: transfer.entries.map { .init(account: $0.account.name, amount: $0.amount) }))
        for (entry, available) in zip(transfer.entries, booking.before) where available + entry.amount < 0 && !entry.account.mayOwe {
            throw ServiceError.insufficientCredits(needed: -entry.amount, available: available)
        }
        return booking
    }
}

extension SQLWriter {
    /// Books a transfer inside the transaction that makes it true.
    ///
    /// - Throws: `paymentRequired` (`insufficient_credits`) when an account would have less than nothing.
    func book(_ transfer: Transfer, job: String? = nil, by actor: String, note: String = "", at now: Timestamp) throws {
        try book(booking(transfer, job: job, by: actor, note: note, at: now))
    }
}

/// The credits of an account.
public struct Wallet: Sendable, Hashable {
    /// What it can spend.
    public let credits: Int
    /// What is set aside for its jobs that are not over.
    public let held: Int
}

extension ServiceError {
    static func insufficientCredits(needed: Int, available: Int) -> ServiceError {
        ServiceError(
            .paymentRequired, code: "insufficient_credits",
            "This needs \(needed) credits, and \(available) are available. Lower what is asked for, or get more credits.",
            context: ["needed": .int(needed), "available": .int(available)])
    }
}
