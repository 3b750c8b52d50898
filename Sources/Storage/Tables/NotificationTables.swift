/// A row of `notifications`: one thing that an account was told.
public struct NotificationRow: Sendable, Hashable {
    /// Given by the database, from 1; 0 before the row is stored.
    public var id = 0
    /// Who is told.
    public let accountID: String
    /// The event's stable id, the same in the inbox, in webhooks and in e-mail.
    public let eventID: String
    /// What happened, for example `submission.approved`.
    public let kind: String
    /// The submission that it is about, where there is one.
    public let submissionID: Int?
    /// The slug of its Cargo.
    public let workloadSlug: String?
    /// One line for people.
    public let title: String
    /// The rest for people; may be empty.
    public let message: String
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int
    /// When it was marked as read.
    public var readAt: Int?

    /// A row to store.
    public init(
        accountID: String, eventID: String, kind: String, submissionID: Int?, workloadSlug: String?, title: String, message: String, createdAt: Int
    ) {
        self.accountID = accountID
        self.eventID = eventID
        self.kind = kind
        self.submissionID = submissionID
        self.workloadSlug = workloadSlug
        self.title = title
        self.message = message
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        accountID = try row.text("account_id")
        eventID = try row.text("event_id")
        kind = try row.text("kind")
        submissionID = try row.optionalInt("submission_id")
        workloadSlug = try row.optionalText("workload_slug")
        title = try row.text("title")
        message = try row.text("message")
        createdAt = try row.int("created_at")
        readAt = try row.optionalInt("read_at")
    }
}

extension SQLReader {
    /// An account's notifications, newest first, how many there are, and how many are unread.
    public func notifications(
        accountID: String, unreadOnly: Bool, limit: Int, offset: Int
    ) throws -> (rows: [NotificationRow], total: Int, unread: Int) {
        let unread = try count("SELECT count(*) AS n FROM notifications WHERE account_id = ? AND read_at IS NULL", [.text(accountID)])
        let filter = "FROM notifications WHERE account_id = ?" + (unreadOnly ? " AND read_at IS NULL" : "")
        let total = unreadOnly ? unread : try count("SELECT count(*) AS n \(filter)", [.text(accountID)])
        let rows = try query(
            "SELECT * \(filter) ORDER BY id DESC LIMIT ? OFFSET ?", [.text(accountID), .integer(limit), .integer(offset)])
        return (try rows.map(NotificationRow.init), total, unread)
    }

    /// A notification of an account.
    public func notification(id: Int, accountID: String) throws -> NotificationRow? {
        try first("SELECT * FROM notifications WHERE id = ? AND account_id = ?", [.integer(id), .text(accountID)]).map(NotificationRow.init)
    }
}

extension SQLWriter {
    /// Stores what an account is told.
    public func insert(_ row: NotificationRow) throws {
        try execute(
            """
            INSERT INTO notifications (account_id, event_id, kind, submission_id, workload_slug, title, message, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.accountID), .text(row.eventID), .text(row.kind), .optional(row.submissionID), .optional(row.workloadSlug),
                .text(row.title), .text(row.message), .integer(row.createdAt),
            ])
    }

    /// Marks an account's notification (all when `nil`) as read and returns how many were not before.
    public func markNotificationsRead(id: Int?, accountID: String, at now: Int) throws -> Int {
        let one = id == nil ? "" : " AND id = ?"
        return try execute(
            "UPDATE notifications SET read_at = ? WHERE account_id = ? AND read_at IS NULL\(one)",
            [.integer(now), .text(accountID)] + (id.map { [SQLValue.integer($0)] } ?? []))
    }
}
