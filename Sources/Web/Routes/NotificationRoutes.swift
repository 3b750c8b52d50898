import Coordinator
import Domain
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What accounts call about what they are told.
    func addNotifications(_ notifications: Notifications) {
        get("notifications") { request, context -> Response in
            let inbox = try await notifications.inbox(
                unreadOnly: request.flag("unread") ?? false, page: request.page(), for: context.principal)
            return .list(inbox.listing, more: ["unread": .int(inbox.unread)]) { $0.json }
        }
        post("notifications/read-all") { _, context -> Response in
            .data(["read": .int(try await notifications.markAllRead(by: context.principal))])
        }
        post("notifications/:id/read") { _, context -> Response in
            .data(try await notifications.markRead(try context.number("id", of: "notification"), by: context.principal).json)
        }
        get("webhooks") { _, context -> Response in
            let webhooks = try await notifications.webhooks(for: context.principal)
            let meta: JSONValue = ["total": .int(webhooks.count), "limit": .int(webhooks.count), "offset": 0]
            return .json(["data": .array(webhooks.map(\.json)), "meta": meta])
        }
        post("webhooks") { request, context -> Response in
            let webhook = try await notifications.addWebhook(try await request.object(), by: context.principal)
            return .json(["data": webhook.json, "secret": .string(webhook.secret)], status: .created)
        }
        delete("webhooks/:id") { _, context -> Response in
            let id = try context.text("id")
            try await notifications.removeWebhook(id, by: context.principal)
            return .data(["id": .string(id), "deleted": true])
        }
        get("webhooks/:id/deliveries") { request, context -> Response in
            let page = try await notifications.deliveries(
                webhookID: try context.text("id"), page: request.page(), for: context.principal)
            return .list(page) { $0.json }
        }
        post("webhooks/:id/deliveries/:delivery/redeliver") { _, context -> Response in
            let delivery = try await notifications.redeliver(
                try context.number("delivery", of: "delivery"), webhookID: try context.text("id"), by: context.principal)
            return .data(delivery.json)
        }
    }
}
