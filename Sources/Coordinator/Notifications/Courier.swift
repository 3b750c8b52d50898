import Domain
public import Fabric
import JSON
public import Logging
public import Outbound
public import Storage

/// Brings what the outbox holds to webhooks and mailboxes, until each has arrived or three days have passed.
///
/// A receiver gets one delivery at a time, and deliveries of one submission in order. What is on its way is leased in the database, so
/// after a crash it is sent again: receivers may see an event twice, under the same id, and never miss one.
public struct Courier: Sendable {
    private let database: any Database
    private let door: any OutboundDoor
    private let mailer: (any Mailer)?
    private let mailFrom: String
    private let bus: any SignalBus
    private let surroundings: Surroundings
    private let logger: Logger

    /// Chosen: so many slow receivers keep the others waiting.
    private static let workers = 8
    /// Longer than any call may take (10 s out, 30 s for mail).
    private static let lease = Duration.seconds(60)

    /// A courier.
    ///
    /// - Parameters:
    ///   - mailer: `nil` where the operator configured none; then e-mail that waits from earlier is given up in time.
    ///   - mailFrom: the address that e-mail comes from.
    public init(
        database: any Database, door: any OutboundDoor, mailer: (any Mailer)?, mailFrom: String, bus: any SignalBus, surroundings: Surroundings,
        logger: Logger
    ) {
        self.database = database
        self.door = door
        self.mailer = mailer
        self.mailFrom = mailFrom
        self.bus = bus
        self.surroundings = surroundings
        self.logger = logger
    }

    /// Works until the task is cancelled.
    public func run() async throws {
        let oldest = surroundings.now() + (.zero - DeliveryTerms.logKept)
        _ = try await database.write { try $0.deleteDeliveries(endedBefore: oldest.milliseconds) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.workers { group.addTask { try await work() } }
            try await group.waitForAll()
        }
    }

    private func work() async throws {
        while !Task.isCancelled {
            // Listens anew each round, before it looks: a stream whose reader was cancelled is over for good.
            let signals = bus.signals(on: Topics.deliveries)
            while try await deliverNext() {}
            try await waitForWork(signals)
        }
    }

    private func waitForWork(_ signals: SignalListener) async throws {
        let due = try await database.read { try $0.nextDeliveryDue() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            if let due {
                let wait = Duration.milliseconds(max(1, due - surroundings.now().milliseconds))
                group.addTask { try await surroundings.clock.sleep(for: wait) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Takes the delivery that is due and carries it to its end; returns `false` when none is due.
    func deliverNext() async throws -> Bool {
        let now = surroundings.now()
        // Looking costs no commit; most wake-ups find nothing.
        guard try await database.read({ try $0.nextDueDelivery(at: now.milliseconds) }) != nil else { return false }
        let taken = try await database.write { writer -> (DeliveryRow, WebhookRow?)? in
            guard var row = try writer.nextDueDelivery(at: now.milliseconds) else { return nil }
            let until = (now + Self.lease).milliseconds
            row.dueAt = until
            row.tries += 1
            try writer.update(row)
            guard let webhookID = row.webhookID else { return (row, nil) }
            try writer.pauseWebhook(id: webhookID, until: until)
            return (row, try writer.webhook(id: webhookID))
        }
        guard let (row, webhook) = taken else { return false }
        let outcome = await attempt(row, webhook)
        // Asked to stop: the lease ends by itself, and the event is sent again.
        try Task.checkCancellation()
        try await store(outcome, of: row, webhook)
        bus.signal(Topics.deliveries)
        return true
    }

    /// How one try went.
    private struct Outcome: Sendable {
        var status: Int?
        var error: String?
        var hasArrived: Bool { error == nil }
    }

    private func attempt(_ row: DeliveryRow, _ webhook: WebhookRow?) async -> Outcome {
        do throws(OutboundError) {
            guard let webhook else {
                try await mail(row)
                return Outcome()
            }
            let seconds = surroundings.now().milliseconds / 1000
            let headers =
                [("content-type", "application/json"), ("user-agent", "archipelago")]
                + WebhookSignature.headers(id: row.eventID, seconds: seconds, body: row.body, secret: webhook.secret)
            let status = try await door.post(
                try OutboundURL(webhook.url, policy: door.policy), headers: headers, body: Array(row.body.utf8))
            return Outcome(status: status, error: DeliveryTerms.isAccepted(status: status) ? nil : "the receiver answered \(status)")
        } catch {
            return Outcome(error: error.description)
        }
    }

    private func mail(_ row: DeliveryRow) async throws(OutboundError) {
        guard let mailer else { throw .mailRefused("no mail command is configured") }
        let address: String?
        do {
            address = try await database.read { try $0.account(id: row.accountID)?.email }
        } catch {
            throw .mailRefused("the account cannot be read")
        }
        // Both were written by the announcer; an account keeps its address.
        guard let address, let data = (try? JSONValue(parsing: row.body))?["data"]?.object else { throw .mailRefused("there is nothing to send") }
        let title = data["title"]?.string ?? row.kind
        let words = [data["message"]?.string ?? "", data["submission_id"]?.int.map { "See it with: archipelago cargo status \($0)" } ?? ""]
        try await mailer.send(
            MailMessage(
                to: address, from: mailFrom, subject: "[Archipelago] \(title)", text: words.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n",
                identifier: row.eventID))
    }

    private func store(_ outcome: Outcome, of taken: DeliveryRow, _ webhook: WebhookRow?) async throws {
        let now = surroundings.now()
        try await database.write { writer in
            var row = taken
            row.status = outcome.status
            row.error = outcome.error
            if outcome.hasArrived {
                row.state = DeliveryState.delivered.rawValue
                row.deliveredAt = now.milliseconds
            } else if now >= Timestamp(milliseconds: row.createdAt) + DeliveryTerms.patience, row.tries > 1 {
                row.state = DeliveryState.gaveUp.rawValue
            } else {
                row.dueAt = (now + DeliveryTerms.delay(afterFailures: row.tries)).milliseconds
            }
            try writer.update(row)
            guard let webhook else { return }
            let failures = outcome.hasArrived ? 0 : webhook.failures + 1
            // An answer of any kind shows that the receiver lives: then only this submission's events wait, not all.
            let pause = outcome.status == nil && failures > 0 ? (now + DeliveryTerms.delay(afterFailures: failures)).milliseconds : 0
            try writer.noteAnswer(
                webhookID: webhook.id, status: outcome.status, failures: failures,
                failingSince: outcome.hasArrived ? nil : webhook.failingSince ?? now.milliseconds, pausedUntil: pause, at: now.milliseconds)
        }
        guard let error = outcome.error else { return }
        logger.info(
            "delivery failed", metadata: ["delivery.id": "\(taken.id)", "delivery.channel": "\(taken.channel)", "delivery.error": "\(error)"])
    }
}
