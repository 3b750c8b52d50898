import Coordinator
import Domain
import JSON
import Storage

/// Moments as the API writes them.
func time(_ milliseconds: Int?) -> JSONValue {
    milliseconds.map { .string(Timestamp(milliseconds: $0).description) } ?? .null
}

extension Submission {
    /// The submission as the API shows it to its publisher and to reviewers.
    var json: JSONValue {
        var object: JSONObject = ["id": .int(row.id), "state": .string(state.rawValue)]
        for member in fields.json.members { object[member.name] = member.value }
        object["slug"] = .string(slug)
        object["version"] = .string(row.version)
        object["image_digest"] = .optional(row.imageDigest ?? fields.imageDigest)
        object["trust_level"] = .optional(trustLevel?.rawValue)
        object["tier"] = .optional(trustLevel?.tier.rawValue)
        object["signature"] = signature?.json ?? .null
        object["review_note"] = .optional(row.reviewNote)
        object["rejection_reason"] = .optional(row.rejectionReason)
        object["rejection_rule"] = .optional(row.rejectionRule)
        object["resubmitted_from"] = .optional(row.resubmittedFrom)
        object["tag_moved_to"] = .optional(row.tagMovedTo)
        object["allowed_actions"] = .array(state.allowedActions.map { .string($0.rawValue) })
        object["created_at"] = time(row.createdAt)
        object["updated_at"] = time(row.updatedAt)
        object["submitted_at"] = time(row.submittedAt)
        object["reviewed_at"] = time(row.reviewedAt)
        object["published_at"] = time(row.publishedAt)
        return .object(object)
    }
}

extension SubmissionEventRow {
    /// The event as the API shows it.
    var json: JSONValue {
        ["at": time(at), "action": .string(action), "to": .string(toState), "actor": .string(actorID), "note": .string(note)]
    }
}

extension Review.Entry {
    /// The entry as the API shows it: the submission with its scan.
    var json: JSONValue {
        guard case .object(var object) = submission.json else { return submission.json }
        object["scan"] = scan?.json ?? .null
        object["waiting_seconds"] = .int(waitingSeconds)
        return .object(object)
    }
}
