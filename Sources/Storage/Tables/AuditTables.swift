/// A row of `audit_log`: one change, chained to the one before it.
public struct AuditRow: Sendable, Hashable {
    /// From 1, without gaps.
    public let number: Int
    /// Milliseconds since 1970 UTC.
    public let at: Int
    /// The account that did it, or `system`.
    public let actorID: String
    /// What was done, for example `submission.approve`.
    public let action: String
    /// To what, for example `submission/7`.
    public let subject: String
    /// What was there before, as JSON text; `null` for nothing.
    public let before: String
    /// What is there now, as JSON text; `null` for nothing.
    public let after: String
    /// The hash of the row before; of the first row, 64 zeros.
    public let previousHash: String
    /// SHA-256 over this row and the hash before, in hexadecimal.
    public let hash: String

    /// A row to store.
    public init(
        number: Int, at: Int, actorID: String, action: String, subject: String, before: String, after: String, previousHash: String, hash: String
    ) {
        self.number = number
        self.at = at
        self.actorID = actorID
        self.action = action
        self.subject = subject
        self.before = before
        self.after = after
        self.previousHash = previousHash
        self.hash = hash
    }

    init(_ row: SQLRow) throws {
        number = try row.int("number")
        at = try row.int("at")
        actorID = try row.text("actor_id")
        action = try row.text("action")
        subject = try row.text("subject")
        before = try row.text("before")
        after = try row.text("after")
        previousHash = try row.text("previous_hash")
        hash = try row.text("hash")
    }
}

/// Which rows of the audit log are wanted; `nil` for all.
public struct AuditFilter: Sendable, Hashable {
    /// The account that did it.
    public var actorID: String?
    /// What was done.
    public var action: String?
    /// To what.
    public var subject: String?

    /// A filter.
    public init(actorID: String? = nil, action: String? = nil, subject: String? = nil) {
        self.actorID = actorID
        self.action = action
        self.subject = subject
    }
}

extension SQLReader {
    /// The newest row, or `nil` while there is none.
    public func newestAudit() throws -> AuditRow? {
        try first("SELECT * FROM audit_log ORDER BY number DESC LIMIT 1", []).map(AuditRow.init)
    }

    /// Rows after a number, oldest first.
    public func auditRows(after number: Int, limit: Int) throws -> [AuditRow] {
        try query("SELECT * FROM audit_log WHERE number > ? ORDER BY number LIMIT ?", [.integer(number), .integer(limit)]).map(AuditRow.init)
    }

    /// Rows that fit a filter, newest first, and how many there are.
    public func auditRows(_ filter: AuditFilter, limit: Int, offset: Int) throws -> (rows: [AuditRow], total: Int) {
        let wanted = [("actor_id", filter.actorID), ("action", filter.action), ("subject", filter.subject)]
        let given = wanted.compactMap { column, value in value.map { (column, $0) } }
        let condition = given.isEmpty ? "" : " WHERE " + given.map { "\($0.0) = ?" }.joined(separator: " AND ")
        let arguments = given.map { SQLValue.text($0.1) }
        let total = try count("SELECT count(*) AS n FROM audit_log\(condition)", arguments)
        let rows = try query(
            "SELECT * FROM audit_log\(condition) ORDER BY number DESC LIMIT ? OFFSET ?", arguments + [.integer(limit), .integer(offset)])
        return (try rows.map(AuditRow.init), total)
    }
}

extension SQLWriter {
    /// Stores the next row.
    public func insert(_ row: AuditRow) throws {
        try execute(
            """
            INSERT INTO audit_log (number, at, actor_id, action, subject, before, after, previous_hash, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(row.number), .integer(row.at), .text(row.actorID), .text(row.action), .text(row.subject), .text(row.before),
                .text(row.after), .text(row.previousHash), .text(row.hash),
            ])
    }
}
