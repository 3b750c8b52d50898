import Domain
public import Fabric
public import JSON
public import Outbound
public import Storage

/// What accounts read and decide about their notifications: the inbox, webhooks, the log of deliveries.
public struct Notifications: Sendable {
    private let database: any Database
    private let policy: AddressPolicy
    private let bus: any SignalBus
    private let surroundings: Surroundings

    /// The use cases over a database.
    ///
    /// - Parameter policy: which addresses webhooks may have.
    public init(database: any Database, policy: AddressPolicy, bus: any SignalBus, surroundings: Surroundings) {
        self.database = database
        self.policy = policy
        self.bus = bus
        self.surroundings = surroundings
    }

    /// Chosen: enough for every system of a publisher; bounds what one event writes.
    private static let webhooksMax = 10

    /// The asker's notifications, newest first, and how many of all are unread.
    public func inbox(unreadOnly: Bool, page: Page, for principal: Principal) async throws -> (listing: Listing<NotificationRow>, unread: Int) {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.notifications(
                accountID: principal.accountID, unreadOnly: unreadOnly, limit: page.limit, offset: page.offset)
            return (Listing(rows: found.rows, total: found.total, page: page), found.unread)
        }
    }

    /// Marks one as read.
    public func markRead(_ id: Int, by principal: Principal) async throws -> NotificationRow {
        try principal.require(.write)
        let now = surroundings.now().milliseconds
        return try await database.write { writer in
            _ = try writer.markNotificationsRead(id: id, accountID: principal.accountID, at: now)
            guard let row = try writer.notification(id: id, accountID: principal.accountID) else {
                throw ServiceError.notFound("notification \(id)")
            }
            return row
        }
    }

    /// Marks all as read and returns how many were not.
    public func markAllRead(by principal: Principal) async throws -> Int {
        try principal.require(.write)
        let now = surroundings.now().milliseconds
        return try await database.write { try $0.markNotificationsRead(id: nil, accountID: principal.accountID, at: now) }
    }

    /// The asker's webhooks, oldest first.
    public func webhooks(for principal: Principal) async throws -> [WebhookRow] {
        try principal.require(.read)
        return try await database.read { try $0.webhooks(accountID: principal.accountID) }
    }

    /// Adds a webhook, from a request body with `url` and `events` (default: all); its secret is shown this once.
    ///
    /// - Throws: `invalid` with every problem; `conflict` (`too_many_webhooks`).
    public func addWebhook(_ object: JSONObject, by principal: Principal) async throws -> WebhookRow {
        try principal.require(.write)
        var reader = FieldReader(object)
        let text = reader.required("url", reader.string("url"))
        let kinds: [EventKind] = reader.choices("events") ?? []
        reader.refuseUnknown()
        var url: OutboundURL?
        if let text {
            do { url = try OutboundURL(text, policy: policy) } catch { reader.note("url", error.description) }
        }
        guard reader.mistakes.isEmpty, let url else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let now = surroundings.now()
        let row = WebhookRow(
            id: surroundings.newIdentifier(), accountID: principal.accountID, url: url.description,
            secret: WebhookSignature.secret(key: surroundings.randomBytes(WebhookSignature.keyBytes)),
            kinds: kinds.map(\.rawValue).joined(separator: " "), createdAt: now.milliseconds)
        try await database.write { writer in
            guard try writer.webhooks(accountID: principal.accountID).count < Self.webhooksMax else {
                throw ServiceError(.conflict, code: "too_many_webhooks", "An account has at most \(Self.webhooksMax) webhooks; remove one first.")
            }
            try writer.insert(row)
            try writer.audit("webhook.add", "webhook/\(row.id)", by: principal.accountID, at: now, after: row.audited)
        }
        return row
    }

    /// Removes a webhook and what was on its way to it.
    public func removeWebhook(_ id: String, by principal: Principal) async throws {
        try principal.require(.write)
        let now = surroundings.now()
        try await database.write { writer in
            let row = try Self.webhook(id, of: principal, in: writer)
            try writer.deleteWebhook(id: id)
            try writer.audit("webhook.remove", "webhook/\(id)", by: principal.accountID, at: now, before: row.audited)
        }
    }

    /// The deliveries of a webhook, newest first.
    public func deliveries(webhookID: String, page: Page, for principal: Principal) async throws -> Listing<DeliveryRow> {
        try principal.require(.read)
        return try await database.read { reader in
            _ = try Self.webhook(webhookID, of: principal, in: reader)
            let found = try reader.deliveries(webhookID: webhookID, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    /// Sends an event again that has arrived or was given up; one that is on its way is tried at once.
    public func redeliver(_ id: Int, webhookID: String, by principal: Principal) async throws -> DeliveryRow {
        try principal.require(.write)
        let now = surroundings.now()
        let row = try await database.write { writer in
            _ = try Self.webhook(webhookID, of: principal, in: writer)
            guard var row = try writer.delivery(id: id, webhookID: webhookID) else { throw ServiceError.notFound("delivery \(id)") }
            row.state = DeliveryState.pending.rawValue
            row.dueAt = now.milliseconds
            row.tries = 0
            try writer.update(row)
            try writer.pauseWebhook(id: webhookID, until: 0)
            try writer.audit(
                "webhook.redeliver", "webhook/\(webhookID)", by: principal.accountID, at: now, after: ["delivery": .int(id)])
            return row
        }
        bus.signal(Topics.deliveries)
        return row
    }

    private static func webhook(_ id: String, of principal: Principal, in reader: any SQLReader) throws -> WebhookRow {
        guard let row = try reader.webhook(id: id, accountID: principal.accountID) else { throw ServiceError.notFound("webhook \(id)") }
        return row
    }
}

extension WebhookRow {
    /// What the audit log keeps of a webhook; never its secret.
    var audited: JSONValue { ["url": .string(url), "events": .string(kinds)] }
}
