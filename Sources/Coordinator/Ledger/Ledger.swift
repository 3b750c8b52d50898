import Domain
public import JSON
public import Storage

/// Credits as their owners and administrators see them.
public struct Ledger: Sendable {
    private let database: any Database
    private let surroundings: Surroundings

    /// The use cases over a database.
    public init(database: any Database, surroundings: Surroundings) {
        self.database = database
        self.surroundings = surroundings
    }

    /// The asker's credits.
    public func wallet(for principal: Principal) async throws -> Wallet {
        try principal.require(.read)
        return try await database.read { try $0.wallet(of: principal.accountID) }
    }

    /// What came to the asker's account and went from it, newest first.
    public func statement(page: Page, for principal: Principal) async throws -> Listing<LedgerLineRow> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.ledgerLines(
                account: LedgerAccount.wallet(accountID: principal.accountID).name, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    // MARK: Administration

    /// An administrator's wish to give credits.
    public struct Grant: Sendable, Hashable {
        /// Credits, below zero to take them back.
        public let amount: Int
        /// Why, for the account's statement.
        public let note: String

        /// Reads a request body: `amount`, `note`.
        public init(_ object: JSONObject) throws {
            var reader = FieldReader(object)
            let amount = reader.required("amount", reader.int("amount", in: -Transfer.creditsMax...Transfer.creditsMax))
            if amount == 0 { reader.note("amount", "must not be 0") }
            note = reader.text("note", lengthMax: 1000) ?? ""
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let amount else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            self.amount = amount
        }
    }

    /// Gives credits to an account, or takes some back, as a request body says.
    public func grant(_ object: JSONObject, to accountID: String, by principal: Principal) async throws -> Wallet {
        try principal.require(.admin)
        return try await grant(Grant(object), to: accountID, by: principal)
    }

    /// Gives credits to an account, or takes some back.
    ///
    /// - Throws: `not_found`; `conflict`: `insufficient_credits` when more would be taken than is there, `too_many_credits` at the ledger's bound.
    public func grant(_ grant: Grant, to accountID: String, by principal: Principal) async throws -> Wallet {
        try principal.require(.admin)
        let now = surroundings.now()
        return try await database.write { writer in
            _ = try Account.find(accountID, in: writer)
            let issued = -(try writer.ledgerBalance(account: LedgerAccount.issued.name))
            guard issued + grant.amount <= Transfer.creditsMax else {
                throw ServiceError(
                    .conflict, code: "too_many_credits", "A network has at most \(Transfer.creditsMax) credits, and \(issued) are given out.")
            }
            let before = try writer.wallet(of: accountID)
            guard before.credits + grant.amount >= 0 else {
                throw ServiceError(
                    .conflict, code: "insufficient_credits", "The account has only \(before.credits) credits that could be taken back.")
            }
            try writer.book(.grant(grant.amount, to: accountID), by: principal.accountID, note: grant.note, at: now)
            let after = try writer.wallet(of: accountID)
            try writer.audit(
                "account.credits", "account/\(accountID)", by: principal.accountID, at: now, before: ["credits": .int(before.credits)],
                after: ["credits": .int(after.credits), "note": .string(grant.note)])
            return after
        }
    }

    /// What a check of all books found.
    public struct Verification: Sendable, Hashable {
        /// Transfers that were checked.
        public let transfers: Int
        /// Credits that were given out.
        public let issued: Int
        /// Credits that are set aside for jobs.
        public let held: Int
        /// What is wrong, in words; empty when everything adds up.
        public let faults: [String]
    }

    /// Faults of one kind that are named.
    private static let namedMax = 20

    /// Adds everything up; for administrators.
    public func verify(for principal: Principal) async throws -> Verification {
        try principal.require(.admin)
        return try await database.read { reader in
            var faults: [String] = []
            let totals = try reader.ledgerTotals()
            if totals.sum != 0 { faults.append("The sum of all accounts is \(totals.sum) and not 0.") }
            faults += try reader.unbalancedTransfers(limit: Self.namedMax).map { "Transfer \($0) does not add up to 0." }
            faults += try reader.misstatedAccounts(limit: Self.namedMax).map { "The balance of \($0) is not what its entries say, or below 0." }
            let held = try reader.ledgerBalance(account: LedgerAccount.holds.name)
            let wanted = try reader.creditsHeldByJobs()
            if held != wanted { faults.append("\(held) credits are held, and the jobs say \(wanted).") }
            faults += try reader.misbookedJobs(limit: Self.namedMax).map { "Job \($0) is over and not settled, or settled and not over." }
            return Verification(
                transfers: totals.transfers, issued: -(try reader.ledgerBalance(account: LedgerAccount.issued.name)), held: held, faults: faults)
        }
    }
}
