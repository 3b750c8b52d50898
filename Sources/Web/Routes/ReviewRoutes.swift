import Coordinator
import Domain
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// What reviewers call.
    func addReview(_ review: Review) {
        get("review/queue") { request, context -> Response in
            let queue = try await review.queue(page: request.page(), for: context.principal)
            return .list(queue.listing, more: ["waiting": queue.waiting.json]) { $0.json }
        }
        get("review/submissions/:id") { _, context -> Response in
            .data(try await review.dossier(of: try context.submissionID, for: context.principal).json)
        }
        post("review/submissions/:id/approve") { request, context -> Response in
            let wish = try ApprovalRequest.read(try await request.object())
            return .data(try await review.approve(try context.submissionID, wish, by: context.principal).json)
        }
        post("review/submissions/:id/reject") { request, context -> Response in
            var reader = FieldReader(try await request.object())
            let reason = reader.required("reason", reader.text("reason", lengthMax: 10_000))
            let rule = reader.required("rule", reader.text("rule", lengthMax: 1000))
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let reason, let rule else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            return .data(try await review.reject(try context.submissionID, reason: reason, rule: rule, by: context.principal).json)
        }
    }
}

extension ApprovalRequest {
    /// Reads a request body and gathers everything of a wrong type.
    static func read(_ object: JSONObject) throws -> ApprovalRequest {
        var reader = FieldReader(object)
        let number = reader.required("trust_level", reader.int("trust_level"))
        let level = number.flatMap(TrustLevel.init)
        if number != nil, level == nil { reader.note("trust_level", "must be 0, 1 or 2") }
        var checked: Set<ChecklistItem> = []
        if let checklist = reader.required("checklist", reader.object("checklist")) {
            var items = FieldReader(checklist, at: "/checklist")
            for item in ChecklistItem.allCases where items.bool(item.rawValue) == true { checked.insert(item) }
            items.refuseUnknown()
            for mistake in items.mistakes { reader.take(mistake) }
        }
        let acceptsMedium = reader.bool("accept_medium") ?? false
        let note = reader.string("note") ?? ""
        let justifications = reader.array("justifications")?.map(\.int)
        if let justifications, justifications.contains(nil) { reader.note("justifications", "must be the numbers of justifications") }
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let level else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        return ApprovalRequest(
            trustLevel: level, checked: checked, acceptsMedium: acceptsMedium, note: note,
            justifications: justifications.map { Set($0.compactMap(\.self)) })
    }
}
