import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Storage

extension RouterGroup<APIContext> {
    /// What scans leave, and what publishers and reviewers say of it.
    func addScans(_ services: Services) {
        let (documents, justifications) = (services.scanDocuments, services.justifications)
        get("submissions/:id/sbom") { request, context -> Response in
            let kind: SBOMKind = try request.choice("format") ?? .cyclonedx
            let document = try await documents.document(
                kind.document, of: try context.submissionID, platform: request.query("platform"), for: context.principal)
            return .file(document)
        }
        get("submissions/:id/reports/:scanner") { request, context -> Response in
            let document = try await documents.document(
                .report, of: try context.submissionID, source: try context.text("scanner"), platform: request.query("platform"),
                for: context.principal)
            return .file(document)
        }
        get("submissions/:id/justifications") { _, context -> Response in
            .data(.array(try await justifications.list(of: try context.submissionID, for: context.principal).map(\.json)))
        }
        post("submissions/:id/justifications") { request, context -> Response in
            let wish = try JustificationRequest.read(try await request.object())
            let row = try await justifications.add(wish, to: try context.submissionID, by: context.principal)
            return .data(row.json, status: .created)
        }
        delete("submissions/:id/justifications/:justification") { _, context -> Response in
            .data(
                try await justifications.withdraw(
                    try context.number("justification", of: "justification"), of: try context.submissionID, by: context.principal
                ).json)
        }
        post("review/submissions/:id/justifications/:justification/countersign") { _, context -> Response in
            .data(
                try await justifications.countersign(
                    try context.number("justification", of: "justification"), of: try context.submissionID, by: context.principal
                ).json)
        }
        get("submissions/:id/vex") { _, context -> Response in
            .json(.object(try await justifications.openVEX(of: try context.submissionID, for: context.principal)))
        }
        post("admin/rescans") { request, context -> Response in
            var reader = FieldReader(try await request.object())
            let slug = reader.text("workload", lengthMax: 200)
            let all = reader.bool("all") ?? false
            reader.refuseUnknown()
            if all == (slug != nil) { reader.note("workload", "say either a workload, or all: true") }
            guard reader.mistakes.isEmpty else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            return .data(try await services.rescans.rescanNow(slug: slug, by: context.principal).json, status: .accepted)
        }
    }
}

/// The formats of a bill of materials, as the API names them.
private enum SBOMKind: String, CaseIterable {
    case cyclonedx, spdx

    var document: DocumentKind {
        switch self {
        case .cyclonedx: .cyclonedx
        case .spdx: .spdx
        }
    }
}

extension Response {
    /// A document of its own media type, to be saved under a name.
    fileprivate static func file(_ document: ScanDocuments.Content) -> Response {
        Response(
            status: .ok, headers: [.contentType: document.mediaType, .contentDisposition: "attachment; filename=\"\(document.fileName)\""],
            body: .init(byteBuffer: ByteBuffer(bytes: document.bytes)))
    }
}

extension Rescans.Outlook {
    /// The plan as the API shows it.
    var json: JSONValue { ["made_due": .int(madeDue), "planned": .int(planned), "next_at": time(nextAt?.milliseconds)] }
}

extension JustificationRequest {
    /// Reads a request body and gathers everything of a wrong type.
    static func read(_ object: JSONObject) throws -> JustificationRequest {
        var reader = FieldReader(object)
        let finding = reader.required("finding", reader.text("finding", lengthMax: 200))
        let package = reader.text("package", lengthMax: 2048)
        let statusText = reader.required("status", reader.string("status"))
        let status = statusText.flatMap(VEXStatus.init)
        if statusText != nil, status == nil { reader.note("status", "must be not_affected or affected") }
        let reasonText = reader.string("reason")
        let reason = reasonText.flatMap(VEXReason.init)
        if reasonText != nil, reason == nil {
            reader.note("reason", "must be one of \(VEXReason.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let statement = reader.required("statement", reader.text("statement", lengthMax: 10_000))
        let days = reader.int("valid_days") ?? validDaysDefault
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let finding, let status, let statement else {
            throw ServiceError.invalid(reader.mistakes.map(Problem.init))
        }
        return JustificationRequest(
            finding: finding, package: package, status: status, reason: reason, statement: statement, validDays: days)
    }
}
