import Coordinator
import Domain
import JSON
import Storage

extension NotificationRow {
    /// The notification as its account sees it.
    var json: JSONValue {
        [
            "id": .int(id), "event_id": .string(eventID), "kind": .string(kind), "submission_id": .optional(submissionID),
            "workload_slug": .optional(workloadSlug), "title": .string(title), "message": .string(message), "created_at": time(createdAt),
            "read_at": time(readAt),
        ]
    }
}

extension WebhookRow {
    /// The webhook as its account sees it, without its secret.
    var json: JSONValue {
        [
            "id": .string(id), "url": .string(url), "events": .array(wantedKinds.map { .string($0.rawValue) }), "created_at": time(createdAt),
            "last_delivery_at": time(lastDeliveryAt), "last_status": .optional(lastStatus), "failing_since": time(failingSince),
        ]
    }
}

extension DeliveryRow {
    /// The delivery in its webhook's log.
    var json: JSONValue {
        [
            "id": .int(id), "event_id": .string(eventID), "kind": .string(kind), "state": .string(state), "tries": .int(tries),
            "status": .optional(status), "error": .optional(error), "created_at": time(createdAt),
            "next_try_at": state == DeliveryState.pending.rawValue ? time(dueAt) : .null, "delivered_at": time(deliveredAt),
        ]
    }
}
