/// A row of `webhooks`: an address of an account's own that is told of events.
public struct WebhookRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// Whose it is.
    public let accountID: String
    /// Where events are posted.
    public let url: String
    /// The key of the signature; kept as it is, because each signature needs it.
    public let secret: String
    /// The kinds of events wanted, parted by spaces; empty for all.
    public let kinds: String
    /// Milliseconds since 1970 UTC, as are the times below.
    public let createdAt: Int
    /// Nothing is sent before: another delivery is on its way, or the receiver did not answer.
    public let pausedUntil: Int
    /// Deliveries in a row that failed.
    public let failures: Int
    /// Since when they fail.
    public let failingSince: Int?
    /// When the last one was tried.
    public let lastDeliveryAt: Int?
    /// The HTTP status of the last answer; `nil` when none came.
    public let lastStatus: Int?

    /// A new webhook to store.
    public init(id: String, accountID: String, url: String, secret: String, kinds: String, createdAt: Int) {
        self.id = id
        self.accountID = accountID
        self.url = url
        self.secret = secret
        self.kinds = kinds
        self.createdAt = createdAt
        (pausedUntil, failures, failingSince, lastDeliveryAt, lastStatus) = (0, 0, nil, nil, nil)
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        accountID = try row.text("account_id")
        url = try row.text("url")
        secret = try row.text("secret")
        kinds = try row.text("kinds")
        createdAt = try row.int("created_at")
        pausedUntil = try row.int("paused_until")
        failures = try row.int("failures")
        failingSince = try row.optionalInt("failing_since")
        lastDeliveryAt = try row.optionalInt("last_delivery_at")
        lastStatus = try row.optionalInt("last_status")
    }
}

/// A row of `deliveries`: one event on its way to one receiver.
public struct DeliveryRow: Sendable, Hashable {
    /// Given by the database, growing; 0 before the row is stored.
    public var id = 0
    /// Who is told.
    public let accountID: String
    /// The webhook; `nil` for e-mail.
    public let webhookID: String?
    /// `webhook` or `email`.
    public let channel: String
    /// The event's stable id.
    public let eventID: String
    /// What happened.
    public let kind: String
    /// Deliveries of one receiver with the same key arrive in order.
    public let orderKey: String
    /// The event as JSON text.
    public let body: String
    /// `pending`, `delivered` or `gave_up`.
    public var state: String
    /// How often it was tried.
    public var tries = 0
    /// When it is tried next, milliseconds since 1970 UTC, as are the times below.
    public var dueAt: Int
    /// The HTTP status of the last answer.
    public var status: Int?
    /// Why the last try failed.
    public var error: String?
    /// When the event happened.
    public let createdAt: Int
    /// When it arrived.
    public var deliveredAt: Int?

    /// A delivery to store, due at once.
    public init(
        accountID: String, webhookID: String?, channel: String, eventID: String, kind: String, orderKey: String, body: String, createdAt: Int
    ) {
        self.accountID = accountID
        self.webhookID = webhookID
        self.channel = channel
        self.eventID = eventID
        self.kind = kind
        self.orderKey = orderKey
        self.body = body
        self.createdAt = createdAt
        state = "pending"
        dueAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        accountID = try row.text("account_id")
        webhookID = try row.optionalText("webhook_id")
        channel = try row.text("channel")
        eventID = try row.text("event_id")
        kind = try row.text("kind")
        orderKey = try row.text("order_key")
        body = try row.text("body")
        state = try row.text("state")
        tries = try row.int("tries")
        dueAt = try row.int("due_at")
        status = try row.optionalInt("status")
        error = try row.optionalText("error")
        createdAt = try row.int("created_at")
        deliveredAt = try row.optionalInt("delivered_at")
    }
}

extension SQLReader {
    /// A webhook of an account.
    public func webhook(id: String, accountID: String) throws -> WebhookRow? {
        try first("SELECT * FROM webhooks WHERE id = ? AND account_id = ?", [.text(id), .text(accountID)]).map(WebhookRow.init)
    }

    /// A webhook, whoever's it is.
    public func webhook(id: String) throws -> WebhookRow? {
        try first("SELECT * FROM webhooks WHERE id = ?", [.text(id)]).map(WebhookRow.init)
    }

    /// An account's webhooks, oldest first.
    public func webhooks(accountID: String) throws -> [WebhookRow] {
        try query("SELECT * FROM webhooks WHERE account_id = ? ORDER BY id", [.text(accountID)]).map(WebhookRow.init)
    }

    /// The deliveries of a webhook, newest first, and how many there are.
    public func deliveries(webhookID: String, limit: Int, offset: Int) throws -> (rows: [DeliveryRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM deliveries WHERE webhook_id = ?", [.text(webhookID)])
        let rows = try query(
            "SELECT * FROM deliveries WHERE webhook_id = ? ORDER BY id DESC LIMIT ? OFFSET ?",
            [.text(webhookID), .integer(limit), .integer(offset)])
        return (try rows.map(DeliveryRow.init), total)
    }

    /// A delivery of a webhook.
    public func delivery(id: Int, webhookID: String) throws -> DeliveryRow? {
        try first("SELECT * FROM deliveries WHERE id = ? AND webhook_id = ?", [.integer(id), .text(webhookID)]).map(DeliveryRow.init)
    }

    /// The oldest delivery that may be tried now: due, its receiver not paused, and none of the same order waiting before it.
    public func nextDueDelivery(at now: Int) throws -> DeliveryRow? {
        try first(
            """
            SELECT d.* FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id
            WHERE d.state = 'pending' AND d.due_at <= ? AND (w.id IS NULL OR w.paused_until <= ?) AND \(Self.isFirstOfItsOrder)
            ORDER BY d.id LIMIT 1
            """, [.integer(now), .integer(now)]
        ).map(DeliveryRow.init)
    }

    /// When the next delivery may be tried, milliseconds since 1970 UTC; `nil` when none waits.
    public func nextDeliveryDue() throws -> Int? {
        try first(
            """
            SELECT min(CASE WHEN w.paused_until > d.due_at THEN w.paused_until ELSE d.due_at END) AS due
            FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id WHERE d.state = 'pending' AND \(Self.isFirstOfItsOrder)
            """, []
        )?.optionalInt("due")
    }

    private static var isFirstOfItsOrder: String {
        """
        NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.webhook_id = d.webhook_id AND o.order_key = d.order_key
            AND o.state = 'pending' AND o.id < d.id)
        """
    }
}

extension SQLWriter {
    /// Stores a new webhook.
    public func insert(_ row: WebhookRow) throws {
        try execute(
            """
            INSERT INTO webhooks (id, account_id, url, secret, kinds, created_at, paused_until, failures) VALUES (?, ?, ?, ?, ?, ?, 0, 0)
            """,
            [.text(row.id), .text(row.accountID), .text(row.url), .text(row.secret), .text(row.kinds), .integer(row.createdAt)])
    }

    /// Removes a webhook and what was on its way to it.
    public func deleteWebhook(id: String) throws {
        try execute("DELETE FROM deliveries WHERE webhook_id = ?", [.text(id)])
        try execute("DELETE FROM webhooks WHERE id = ?", [.text(id)])
    }

    /// Sends nothing to a webhook before a moment.
    public func pauseWebhook(id: String, until moment: Int) throws {
        try execute("UPDATE webhooks SET paused_until = ? WHERE id = ?", [.integer(moment), .text(id)])
    }

    /// Notes how the last delivery to a webhook went.
    public func noteAnswer(webhookID: String, status: Int?, failures: Int, failingSince: Int?, pausedUntil: Int, at now: Int) throws {
        try execute(
            """
            UPDATE webhooks SET last_delivery_at = ?, last_status = ?, failures = ?, failing_since = ?, paused_until = ? WHERE id = ?
            """,
            [
                .integer(now), .optional(status), .integer(failures), .optional(failingSince), .integer(pausedUntil), .text(webhookID),
            ])
    }

    /// Stores an event on its way to a receiver.
    public func insert(_ row: DeliveryRow) throws {
        try execute(
            """
            INSERT INTO deliveries (account_id, webhook_id, channel, event_id, kind, order_key, body, state, tries, due_at, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.accountID), .optional(row.webhookID), .text(row.channel), .text(row.eventID), .text(row.kind), .text(row.orderKey),
                .text(row.body), .text(row.state), .integer(row.tries), .integer(row.dueAt), .integer(row.createdAt),
            ])
    }

    /// Stores how far a delivery has come.
    public func update(_ row: DeliveryRow) throws {
        try execute(
            "UPDATE deliveries SET state = ?, tries = ?, due_at = ?, status = ?, error = ?, delivered_at = ? WHERE id = ?",
            [
                .text(row.state), .integer(row.tries), .integer(row.dueAt), .optional(row.status), .optional(row.error),
                .optional(row.deliveredAt), .integer(row.id),
            ])
    }

    /// Removes deliveries that ended before a moment, and returns how many.
    @discardableResult
    public func deleteDeliveries(endedBefore moment: Int) throws -> Int {
        try execute("DELETE FROM deliveries WHERE state <> 'pending' AND created_at < ?", [.integer(moment)])
    }
}
