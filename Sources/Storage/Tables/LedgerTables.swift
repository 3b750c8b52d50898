/// One line of an account's statement: what one transfer did to it.
public struct LedgerLineRow: Sendable, Hashable {
    /// The transfer's number, growing.
    public let transferID: Int
    /// `grant`, `hold` or `settlement`.
    public let kind: String
    /// The job that it is about.
    public let jobID: String?
    /// Who caused it: an account, or `system`.
    public let actorID: String
    /// A reason in words; empty for none.
    public let note: String
    /// Milliseconds since 1970 UTC.
    public let at: Int
    /// Credits that came, or went where it is negative.
    public let amount: Int
    /// The account's credits after it.
    public let balance: Int

    init(_ row: SQLRow) throws {
        transferID = try row.int("id")
        kind = try row.text("kind")
        jobID = try row.optionalText("job_id")
        actorID = try row.text("actor_id")
        note = try row.text("note")
        at = try row.int("at")
        amount = try row.int("amount")
        balance = try row.int("balance")
    }
}

/// A transfer to store; who makes it has seen that its entries add up to zero.
public struct LedgerTransferRow: Sendable, Hashable {
    /// `grant`, `hold` or `settlement`.
    public let kind: String
    /// The job that it is about.
    public let jobID: String?
    /// Who caused it: an account, or `system`.
    public let actorID: String
    /// A reason in words; empty for none.
    public let note: String
    /// Milliseconds since 1970 UTC.
    public let at: Int
    /// What each account gains; each account once.
    public let entries: [Entry]

    /// What an account gains.
    public struct Entry: Sendable, Hashable {
        /// The account's name.
        public let account: String
        /// Credits, not zero.
        public let amount: Int

        /// What an account gains.
        public init(account: String, amount: Int) {
            self.account = account
            self.amount = amount
        }
    }

    /// A transfer to store.
    public init(kind: String, jobID: String?, actorID: String, note: String, at: Int, entries: [Entry]) {
        self.kind = kind
        self.jobID = jobID
        self.actorID = actorID
        self.note = note
        self.at = at
        self.entries = entries
    }
}

/// A transfer and what its accounts have before it. Good only in the transaction that read it, and until that books another one.
public struct LedgerBooking: Sendable {
    let transfer: LedgerTransferRow
    /// What each account of the transfer has before it, in the order of its entries.
    public let before: [Int]

    /// Each entry with the account's credits after it.
    var lines: [(entry: LedgerTransferRow.Entry, balance: Int)] { zip(transfer.entries, before).map { ($0, $1 + $0.amount) } }
}

/// Statements about several accounts at once. Reading first and setting afterwards is cheaper than to add and ask what came of it: `RETURNING`
/// and lists after `IN` make SQLite keep tables of their own.
private enum LedgerStatements {
    static let balances = RowStatements(each: "SELECT account, balance FROM ledger_balances WHERE account = ?", separator: " UNION ALL ")
    static let setBalances = RowStatements(
        "INSERT INTO ledger_balances (account, balance) VALUES ", each: "(?, ?)",
        end: " ON CONFLICT (account) DO UPDATE SET balance = excluded.balance")
    static let insertEntries = RowStatements("INSERT INTO ledger_entries (account, transfer_id, amount, balance) VALUES ", each: "(?, ?, ?, ?)")
}

extension SQLReader {
    /// Reads what a transfer is booked on.
    public func booking(_ transfer: LedgerTransferRow) throws -> LedgerBooking {
        var found: [String: Int] = [:]
        try LedgerStatements.balances.forEach(of: transfer.entries) { sql, entries in
            for row in try query(sql, entries.map { .text($0.account) }) { found[try row.text("account")] = try row.int("balance") }
        }
        return LedgerBooking(transfer: transfer, before: transfer.entries.map { found[$0.account] ?? 0 })
    }

    /// An account's credits; 0 for one that nothing ever came to.
    public func ledgerBalance(account: String) throws -> Int {
        try first("SELECT balance FROM ledger_balances WHERE account = ?", [.text(account)])?.int("balance") ?? 0
    }

    /// An account's statement, newest first, and how many lines it has.
    public func ledgerLines(account: String, limit: Int, offset: Int) throws -> (rows: [LedgerLineRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM ledger_entries WHERE account = ?", [.text(account)])
        let rows = try query(
            """
            SELECT t.id, t.kind, t.job_id, t.actor_id, t.note, t.at, e.amount, e.balance
            FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
            WHERE e.account = ? ORDER BY e.transfer_id DESC LIMIT ? OFFSET ?
            """, [.text(account), .integer(limit), .integer(offset)])
        return (try rows.map(LedgerLineRow.init), total)
    }

    /// What was set aside for a job when it was sent.
    public func amountHeld(jobID: String) throws -> Int {
        try count(
            """
            SELECT COALESCE(CAST(sum(e.amount) AS BIGINT), 0) AS n FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id
            WHERE t.job_id = ? AND t.kind = 'hold' AND e.account = 'holds'
            """, [.text(jobID)])
    }

    /// What is set aside for a Consumer's jobs.
    public func creditsHeld(consumerID: String) throws -> Int {
        try count(
            "SELECT COALESCE(CAST(sum(held) AS BIGINT), 0) AS n FROM jobs WHERE consumer_id = ? AND completed_at IS NULL",
            [.text(consumerID)])
    }

    // MARK: Checking

    /// How many transfers there are, and the sum of all balances.
    public func ledgerTotals() throws -> (transfers: Int, sum: Int) {
        (
            try count("SELECT count(*) AS n FROM ledger_transfers", []),
            try count("SELECT COALESCE(CAST(sum(balance) AS BIGINT), 0) AS n FROM ledger_balances", [])
        )
    }

    /// Transfers whose entries do not add up to zero.
    public func unbalancedTransfers(limit: Int) throws -> [Int] {
        try query(
            """
            SELECT transfer_id FROM ledger_entries GROUP BY transfer_id HAVING sum(amount) <> 0 ORDER BY transfer_id LIMIT ?
            """, [.integer(limit)]
        ).map { try $0.int("transfer_id") }
    }

    /// Accounts whose balance is not the sum of their entries, or is below zero where it must not be.
    public func misstatedAccounts(limit: Int) throws -> [String] {
        try query(
            """
            SELECT account FROM (
                SELECT account, balance, 0 AS amount FROM ledger_balances
                UNION ALL SELECT account, 0 AS balance, sum(amount) AS amount FROM ledger_entries GROUP BY account) AS both_sides
            GROUP BY account HAVING sum(balance) <> sum(amount) OR (sum(balance) < 0 AND account <> 'issued') ORDER BY account LIMIT ?
            """, [.integer(limit)]
        ).map { try $0.text("account") }
    }

    /// The sum of what is held for jobs, as the jobs say.
    public func creditsHeldByJobs() throws -> Int { try count("SELECT COALESCE(CAST(sum(held) AS BIGINT), 0) AS n FROM jobs", []) }

    /// Jobs whose books are wrong: over, with credits still held or a charge that no settlement shows; or charged for another sum.
    public func misbookedJobs(limit: Int) throws -> [String] {
        try query(
            """
            SELECT j.id FROM jobs j
            LEFT JOIN ledger_transfers h ON h.job_id = j.id AND h.kind = 'hold'
            LEFT JOIN ledger_transfers s ON s.job_id = j.id AND s.kind = 'settlement'
            WHERE (j.completed_at IS NOT NULL AND j.held <> 0)
                OR (h.id IS NULL AND j.held <> 0)
                OR (h.id IS NOT NULL AND j.completed_at IS NOT NULL AND s.id IS NULL)
                OR (s.id IS NOT NULL AND (j.completed_at IS NULL OR h.id IS NULL))
            ORDER BY j.id LIMIT ?
            """, [.integer(limit)]
        ).map { try $0.text("id") }
    }

    // MARK: Repeated requests

    /// What a key of an account was used for.
    public func idempotencyKey(_ name: String, accountID: String) throws -> (requestHash: String, subjectID: String)? {
        try first("SELECT request_hash, subject_id FROM idempotency_keys WHERE account_id = ? AND name = ?", [.text(accountID), .text(name)]).map {
            (try $0.text("request_hash"), try $0.text("subject_id"))
        }
    }
}

extension SQLWriter {
    /// Books a transfer: every balance moves, or none.
    ///
    /// - Throws: `constraint` when a balance would go below zero; `alreadyExists` when the job has a transfer of this kind.
    public func book(_ transfer: LedgerTransferRow) throws { try book(booking(transfer)) }

    /// Books a transfer: every balance moves, or none. Throws as ``book(_:)`` of a transfer does.
    public func book(_ booking: LedgerBooking) throws {
        let transfer = booking.transfer
        // First what the database may refuse: what has changed nothing yet costs other writes nothing.
        try LedgerStatements.setBalances.forEach(of: booking.lines) { sql, lines in
            try execute(sql, lines.flatMap { [.text($0.entry.account), .integer($0.balance)] })
        }
        let id = try insertNumbered(
            "INSERT INTO ledger_transfers (kind, job_id, actor_id, note, at) VALUES (?, ?, ?, ?, ?)",
            [.text(transfer.kind), .optional(transfer.jobID), .text(transfer.actorID), .text(transfer.note), .integer(transfer.at)])
        try LedgerStatements.insertEntries.forEach(of: booking.lines) { sql, lines in
            try execute(sql, lines.flatMap { [.text($0.entry.account), .integer(id), .integer($0.entry.amount), .integer($0.balance)] })
        }
    }

    /// Remembers what a key of an account was used for. Throws `alreadyExists` when it was used.
    public func insertIdempotencyKey(_ name: String, accountID: String, requestHash: String, subjectID: String, at now: Int) throws {
        try execute(
            "INSERT INTO idempotency_keys (account_id, name, request_hash, subject_id, created_at) VALUES (?, ?, ?, ?, ?)",
            [.text(accountID), .text(name), .text(requestHash), .text(subjectID), .integer(now)])
    }

    /// Forgets the keys that were first used before a moment.
    public func deleteIdempotencyKeys(before moment: Int) throws {
        try execute("DELETE FROM idempotency_keys WHERE created_at < ?", [.integer(moment)])
    }
}
