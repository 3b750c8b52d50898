public import Domain
public import Fabric
import JSON
public import Storage

/// Something that an account is told.
struct Announcement: Sendable {
    let kind: EventKind
    let accountID: String
    var submission: Submission?
    let title: String
    var message = ""
    /// More facts for programs.
    var facts = JSONObject()
}

/// Tells accounts what happened: in the inbox, and through a durable outbox to their webhooks and by e-mail.
///
/// Everything is stored in the transaction of the event itself, so an event that stands is told, and one that was rolled back is not.
public struct Announcer: Sendable {
    private let bus: any SignalBus
    private let surroundings: Surroundings
    private let sendsMail: Bool

    /// An announcer.
    ///
    /// - Parameter sendsMail: whether the operator configured a way to send e-mail.
    public init(bus: any SignalBus, surroundings: Surroundings, sendsMail: Bool) {
        self.bus = bus
        self.surroundings = surroundings
        self.sendsMail = sendsMail
    }

    /// Runs a transaction in which something may be announced, and wakes the courier once it is on disk.
    func commit<Value: Sendable>(
        _ database: any Database, _ body: @escaping @Sendable (any SQLWriter) throws -> Value
    ) async throws -> Value {
        let value = try await database.write(body)
        bus.signal(Topics.deliveries)
        return value
    }

    /// Stores an announcement for its account and every receiver that wants it.
    func tell(_ announcement: Announcement, at now: Timestamp, in writer: any SQLWriter) throws {
        let eventID = "evt_" + surroundings.newIdentifier()
        let kind = announcement.kind.rawValue
        try writer.insert(
            NotificationRow(
                accountID: announcement.accountID, eventID: eventID, kind: kind, submissionID: announcement.submission?.row.id,
                workloadSlug: announcement.submission?.slug, title: announcement.title, message: announcement.message,
                createdAt: now.milliseconds))
        let body = Self.document(announcement, id: eventID, at: now).text
        let order = announcement.submission.map { "submission/\($0.row.id)" } ?? "account"
        for webhook in try writer.webhooks(accountID: announcement.accountID) where webhook.wants(announcement.kind) {
            try writer.insert(
                DeliveryRow(
                    accountID: announcement.accountID, webhookID: webhook.id, channel: DeliveryChannel.webhook.rawValue, eventID: eventID,
                    kind: kind, orderKey: order, body: body, createdAt: now.milliseconds))
        }
        if sendsMail, try writer.account(id: announcement.accountID)?.email != nil {
            try writer.insert(
                DeliveryRow(
                    accountID: announcement.accountID, webhookID: nil, channel: DeliveryChannel.email.rawValue, eventID: eventID, kind: kind,
                    orderKey: order, body: body, createdAt: now.milliseconds))
        }
    }

    /// The event as a document: `{"id", "type", "timestamp", "data": {"title", "message", "submission_id"?, "workload_slug"?, …}}`.
    private static func document(_ announcement: Announcement, id: String, at now: Timestamp) -> JSONObject {
        var data: JSONObject = ["title": .string(announcement.title), "message": .string(announcement.message)]
        if let submission = announcement.submission {
            data["submission_id"] = .int(submission.row.id)
            data["workload_slug"] = .string(submission.slug)
            data["version"] = .string(submission.row.version)
        }
        for member in announcement.facts.members { data[member.name] = member.value }
        return [
            "id": .string(id), "type": .string(announcement.kind.rawValue), "timestamp": .string(now.description), "data": .object(data),
        ]
    }
}

/// How an event travels.
enum DeliveryChannel: String, Sendable {
    case webhook, email
}

/// How far a delivery has come.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    case pending, delivered
    case gaveUp = "gave_up"
}

extension WebhookRow {
    /// The kinds of events wanted; empty for all.
    public var wantedKinds: [EventKind] { kinds.split(separator: " ").compactMap { EventKind(rawValue: String($0)) } }

    func wants(_ kind: EventKind) -> Bool { kinds.isEmpty || wantedKinds.contains(kind) }
}
