import Coordinator
import Domain
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// What publishers call.
    func addPublishing(_ publishing: Publishing) {
        post("workloads") { request, context -> Response in
            let (fields, problems) = SubmissionFields.read(try await request.object())
            return .data(try await publishing.create(fields, problems: problems, by: context.principal).json, status: .created)
        }
        get("submissions") { request, context -> Response in
            let page = try await publishing.list(state: request.choice("state"), page: request.page(), for: context.principal)
            return .list(page) { $0.json }
        }
        get("submissions/:id") { _, context -> Response in
            .data(try await publishing.submission(try context.submissionID, for: context.principal).json)
        }
        patch("submissions/:id") { request, context -> Response in
            let (fields, problems) = SubmissionFields.read(try await request.object())
            return .data(try await publishing.edit(try context.submissionID, fields, problems: problems, by: context.principal).json)
        }
        delete("submissions/:id") { _, context -> Response in
            try await publishing.delete(try context.submissionID, by: context.principal)
            return .data(["id": .int(try context.submissionID), "deleted": true])
        }
        post("submissions/:id/transitions") { request, context -> Response in
            var reader = FieldReader(try await request.object())
            let wanted = reader.required("to", reader.string("to"))
            if let wanted, SubmissionState(rawValue: wanted) == nil { reader.note("to", "must be pending_review, draft or published") }
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let state = wanted.flatMap(SubmissionState.init) else {
                throw ServiceError.invalid(reader.mistakes.map(Problem.init))
            }
            return .data(try await publishing.transition(try context.submissionID, to: state, by: context.principal).json)
        }
        post("submissions/:id/resubmit") { _, context -> Response in
            .data(try await publishing.resubmit(try context.submissionID, by: context.principal).json, status: .created)
        }
        get("submissions/:id/scans") { _, context -> Response in
            let scan = try await publishing.scan(of: try context.submissionID, for: context.principal)
            guard let scan else {
                throw ServiceError(.notFound, code: "not_scanned", "The submission has not entered review, so nothing was scanned.")
            }
            return .data(scan.json)
        }
        get("submissions/:id/events") { _, context -> Response in
            .data(.array(try await publishing.events(of: try context.submissionID, for: context.principal).map(\.json)))
        }
    }
}

extension APIContext {
    /// The submission that the path names.
    var submissionID: Int { get throws { try number("id", of: "submission") } }
}
