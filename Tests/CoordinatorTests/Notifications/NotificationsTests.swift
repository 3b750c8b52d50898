import Crypto
import Domain
import Foundation
import JSON
import Outbound
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Coordinator

@Suite(.timeLimit(.minutes(5))) struct NotificationsTests {
    private func webhook(_ world: World, _ url: String = "https://example.com/hook", events: [String] = []) async throws -> WebhookRow {
        try await world.notifications.addWebhook(
            ["url": .string(url), "events": .array(events.map(JSONValue.string))], by: world.publisher)
    }

    /// Brings everything that is due now, webhooks and mail.
    private func deliverAll(_ world: World) async throws { while try await world.courier.deliverNext() {} }

    private func kinds(_ calls: [FakeDoor.Call]) throws -> [String] {
        try calls.map { try JSONValue(parsing: $0.body)["type"]?.string ?? "" }
    }

    @Test func everyStepOfASubmissionIsToldInTheInboxByWebhookAndByMail() async throws {
        let world = try await World()
        _ = try await webhook(world)
        try await world.published("my-cargo")
        try await deliverAll(world)
        let expected = ["submission.pending_review", "submission.scanned", "submission.approved", "submission.published"]
        let inbox = try await world.notifications.inbox(unreadOnly: false, page: Page(), for: world.publisher)
        #expect(inbox.listing.rows.map(\.kind).reversed() == expected)
        #expect(inbox.unread == 4)
        #expect(try kinds(world.door.calls) == expected)
        #expect(Set(world.mailer.messages.map(\.to)) == ["publisher@example.com"])
        #expect(world.mailer.messages.count == 4)
        let ids = try world.door.calls.map { try JSONValue(parsing: $0.body)["id"]?.string ?? "" }
        #expect(ids == inbox.listing.rows.reversed().map(\.eventID))
        #expect(Set(ids).count == 4)
        #expect(try await world.notifications.inbox(unreadOnly: false, page: Page(), for: world.consumer).listing.total == 0)
    }

    @Test func aRejectionTellsItsReasonAndRule() async throws {
        let world = try await World()
        let submission = try await world.submitted("my-cargo")
        _ = try await world.review.reject(submission.row.id, reason: "It mines coins.", rule: "policy", by: world.reviewer)
        let told = try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.rows.first
        #expect(told?.kind == "submission.rejected")
        #expect(told?.message == "It mines coins.")
    }

    /// The signature as Standard Webhooks 1.0.0 says it, computed here by another way.
    @Test func eachTryIsSignedOverIdTimestampAndBody() async throws {
        let world = try await World()
        let hook = try await webhook(world)
        _ = try await world.submitted("my-cargo")
        try await deliverAll(world)
        let call = try #require(world.door.calls.first)
        let id = try #require(call.headers["webhook-id"])
        let timestamp = try #require(call.headers["webhook-timestamp"])
        #expect(Int(timestamp) == World.start / 1000)
        #expect(try JSONValue(parsing: call.body)["id"]?.string == id)
        let key = try #require(Data(base64Encoded: String(hook.secret.dropFirst("whsec_".count))))
        #expect(key.count == 32)
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(timestamp).\(call.body)".utf8), using: SymmetricKey(data: key))
        #expect(call.headers["webhook-signature"] == "v1," + Data(code).base64EncodedString())
    }

    /// Known value: the example of the Standard Webhooks specification's libraries.
    @Test func theSignatureOfTheSpecificationsExample() {
        let headers = WebhookSignature.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: #"{"test": 2432232314}"#,
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        #expect(headers.first { $0.name == "webhook-signature" }?.value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func aReceiverThatWasDownGetsEachEventOnceInOrder() async throws {
        let world = try await World()
        _ = try await webhook(world)
        world.door.answer { _ throws(OutboundError) in throw .noAnswer("down") }
        try await world.published("my-cargo")
        try await deliverAll(world)
        #expect(world.door.calls.count == 1, "while it is down, only one event knocks")
        world.clock.moveOn(by: .seconds(1))
        try await deliverAll(world)
        #expect(world.door.calls.count == 2)
        world.clock.moveOn(by: .seconds(1))
        try await deliverAll(world)
        #expect(world.door.calls.count == 2, "the second pause is 2 s")
        let before = world.door.calls.count
        world.door.answer { _ throws(OutboundError) in (204, "") }
        world.clock.moveOn(by: .seconds(60))
        try await deliverAll(world)
        let delivered = Array(world.door.calls.dropFirst(before))
        #expect(
            try kinds(delivered) == ["submission.pending_review", "submission.scanned", "submission.approved", "submission.published"])
        #expect(Set(delivered.compactMap { $0.headers["webhook-id"] }).count == 4)
        world.clock.moveOn(by: .seconds(86_400))
        try await deliverAll(world)
        #expect(world.door.calls.count == before + 4, "what arrived is not sent again")
    }

    @Test func anEventThatIsRefusedHoldsUpOnlyItsOwnSubmission() async throws {
        let world = try await World()
        _ = try await webhook(world)
        world.door.answer { call throws(OutboundError) in (call.body.contains("cargo-one") ? 500 : 200, "") }
        let one = try await world.submitted("cargo-one")
        _ = try await world.publishing.transition(one.row.id, to: .draft, by: world.publisher)
        _ = try await world.publishing.transition(one.row.id, to: .pendingReview, by: world.publisher)
        _ = try await world.submitted("cargo-two")
        try await deliverAll(world)
        let slugs = try world.door.calls.map { try JSONValue(parsing: $0.body)["data"]?["workload_slug"]?.string ?? "" }
        #expect(slugs == ["cargo-one", "cargo-two"])
    }

    @Test func anEventIsGivenUpAfterThreeDaysAndCanBeSentAgain() async throws {
        let world = try await World()
        let hook = try await webhook(world)
        world.door.answer { _ throws(OutboundError) in (500, "") }
        _ = try await world.submitted("my-cargo")
        try await deliverAll(world)
        func row() async throws -> DeliveryRow? {
            try await world.notifications.deliveries(webhookID: hook.id, page: Page(), for: world.publisher).rows.first
        }
        world.clock.moveOn(by: DeliveryTerms.patience - .milliseconds(1))
        try await deliverAll(world)
        #expect(try await row()?.state == "pending")
        #expect(try await row()?.status == 500)
        world.clock.moveOn(by: .seconds(600))
        try await deliverAll(world)
        let given = try #require(try await row())
        #expect(given.state == "gave_up")
        world.door.answer { _ throws(OutboundError) in (200, "") }
        world.clock.moveOn(by: .seconds(86_400))
        try await deliverAll(world)
        #expect(try await row()?.state == "gave_up")
        _ = try await world.notifications.redeliver(given.id, webhookID: hook.id, by: world.publisher)
        try await deliverAll(world)
        #expect(try await row()?.state == "delivered")
        #expect(try await row()?.eventID == given.eventID)
    }

    @Test func whatWasOnItsWayWhenTheProcessDiedIsSentAgain() async throws {
        let world = try await World()
        let hook = try await webhook(world)
        _ = try await world.submitted("my-cargo")
        // The state that a courier leaves that was killed between taking and storing: leased for a minute.
        let until = world.now + 60_000
        try await world.database.write { writer in
            guard var row = try writer.nextDueDelivery(at: until) else { return }
            row.dueAt = until
            row.tries = 1
            try writer.update(row)
            try writer.pauseWebhook(id: hook.id, until: until)
        }
        try await deliverAll(world)
        #expect(world.door.calls.isEmpty)
        world.clock.moveOn(by: .seconds(60))
        try await deliverAll(world)
        #expect(world.door.calls.count == 1)
    }

    @Test func aWebhookHearsOnlyOfWhatItWants() async throws {
        let world = try await World()
        _ = try await webhook(world, events: ["submission.published", "submission.rejected"])
        try await world.published("my-cargo")
        try await deliverAll(world)
        #expect(try kinds(world.door.calls) == ["submission.published"])
    }

    @Test func aRemovedWebhookHearsNothingMore() async throws {
        let world = try await World()
        let hook = try await webhook(world)
        world.door.answer { _ throws(OutboundError) in (500, "") }
        _ = try await world.submitted("my-cargo")
        try await deliverAll(world)
        try await world.notifications.removeWebhook(hook.id, by: world.publisher)
        world.clock.moveOn(by: .seconds(86_400))
        try await deliverAll(world)
        #expect(world.door.calls.count == 1)
        #expect(await refusal { try await world.notifications.removeWebhook(hook.id, by: world.publisher) } == "not_found")
    }

    @Test(arguments: [
        ("http://example.com/", "/url"), ("https://10.0.0.1 /", "/url"), ("", "/url"), ("ftp://x/", "/url"),
        ("https://user:pass@example.com/", "/url"),
    ])
    func aStrangeAddressIsRefused(url: String, pointer: String) async throws {
        let world = try await World()
        let error = await serviceError { try await webhook(world, url) }
        #expect(error?.details.map(\.pointer) == [pointer])
        let unknown = await serviceError { try await webhook(world, events: ["submission.eaten"]) }
        #expect(unknown?.details.map(\.pointer) == ["/events/0"])
    }

    @Test func othersWebhooksAreNotThere() async throws {
        let world = try await World()
        let hook = try await webhook(world)
        #expect(try await world.notifications.webhooks(for: world.consumer).isEmpty)
        for attempt in [
            await refusal { try await world.notifications.removeWebhook(hook.id, by: world.consumer) },
            await refusal { try await world.notifications.deliveries(webhookID: hook.id, page: Page(), for: world.consumer) },
            await refusal { try await world.notifications.redeliver(1, webhookID: hook.id, by: world.consumer) },
        ] { #expect(attempt == "not_found") }
    }

    @Test func anAccountHasAtMostTenWebhooks() async throws {
        let world = try await World()
        for index in 0..<10 { _ = try await webhook(world, "https://example.com/\(index)") }
        #expect(await refusal { try await webhook(world) } == "too_many_webhooks")
    }

    @Test func theInboxCountsAndMarks() async throws {
        let world = try await World()
        try await world.published("my-cargo")
        let all = try await world.notifications.inbox(unreadOnly: false, page: Page(limit: 2), for: world.publisher)
        #expect(all.listing.rows.count == 2)
        #expect(all.listing.total == 4)
        let id = try #require(all.listing.rows.first?.id)
        #expect(try await world.notifications.markRead(id, by: world.publisher).readAt == world.now)
        #expect(await refusal { try await world.notifications.markRead(id, by: world.consumer) } == "not_found")
        #expect(await refusal { try await world.notifications.markRead(9999, by: world.publisher) } == "not_found")
        #expect(try await world.notifications.inbox(unreadOnly: true, page: Page(), for: world.publisher).listing.total == 3)
        #expect(try await world.notifications.markAllRead(by: world.publisher) == 3)
        #expect(try await world.notifications.markAllRead(by: world.publisher) == 0)
    }

    /// The courier by itself, with its workers and the clock.
    @Test func theCourierWorksByItself() async throws {
        let world = try await World()
        _ = try await webhook(world)
        let arrived = AsyncStream.makeStream(of: Void.self)
        let failures = Mutex(1)
        world.door.answer { _ throws(OutboundError) in
            let fails = failures.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            if fails { throw .noAnswer("down") }
            arrived.continuation.yield()
            return (200, "")
        }
        try await world.beside({ try await world.courier.run() }) {
            _ = try await world.submitted("my-cargo")
            while world.door.calls.isEmpty { await Task.yield() }
            await world.clock.untilSomebodySleeps()
            world.clock.moveOn(by: .seconds(1))
            for await _ in arrived.stream { break }
        }
        #expect(world.door.calls.count == 2)
    }
}
