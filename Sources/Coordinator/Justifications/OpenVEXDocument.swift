import Domain
public import JSON
import OCI
import Storage

/// The countersigned justifications of one digest as an OpenVEX document.
///
/// Source: OpenVEX specification 0.2.0.
enum OpenVEXDocument {
    private static let context = "https://openvex.dev/ns/v0.2.0"

    /// The document; `nil` when nothing is said of the digest.
    ///
    /// - Parameters:
    ///   - rows: the justifications that count.
    ///   - revision: grows with everything that was ever said, countersigned or ended.
    static func make(_ rows: [JustificationRow], revision: Int, of submission: Submission, author: String) -> JSONObject? {
        guard let digest = submission.row.imageDigest, let last = rows.map({ $0.countersignedAt ?? $0.createdAt }).max() else { return nil }
        let product = product(submission, digest)
        let statements = rows.map { row -> JSONValue in
            var statement: JSONObject = [
                "vulnerability": ["name": .string(row.finding)],
                "products": [["@id": .string(product), "subcomponents": [["@id": .string(row.package)]]]],
                "status": .string(row.status), "timestamp": .string(Timestamp(milliseconds: row.createdAt).description),
                "status_notes": .string(
                    "Holds until \(Timestamp(milliseconds: row.expiresAt)); countersigned by \(row.countersignedBy ?? "nobody")."),
            ]
            switch VEXStatus(rawValue: row.status) {
            case .notAffected?:
                statement["justification"] = .optional(row.reason)
                statement["impact_statement"] = .string(row.statement)
            case .affected?, nil: statement["action_statement"] = .string(row.statement)
            }
            return .object(statement)
        }
        return [
            "@context": .string(context), "@id": .string("urn:archipelago:vex:\(submission.row.id):\(digest):\(revision)"),
            "author": .string(author), "timestamp": .string(Timestamp(milliseconds: last).description), "version": .int(max(1, revision)),
            "statements": .array(statements),
        ]
    }

    /// The image as a package URL. Source: the purl type definition of `oci`.
    private static func product(_ submission: Submission, _ digest: String) -> String {
        let reference = submission.fields.containerImage.flatMap { try? ImageReference(parsing: $0) }
        let name = reference?.name ?? submission.slug
        let last = name.split(separator: "/").last.map(String.init) ?? name
        return "pkg:oci/\(last.lowercased())@\(digest.replacing(":", with: "%3A"))?repository_url=\(name)"
    }
}

extension Justifications {
    /// What is said of a submission's digest, as an OpenVEX document.
    ///
    /// - Throws: `not_found` (`no_statements`) when nothing was said, or no reviewer has agreed yet.
    public func openVEX(of id: Int, for principal: Principal) async throws -> JSONObject {
        try principal.require(.read)
        let now = surroundings.now()
        return try await database.read { reader in
            let submission = try Publishing.find(id, for: principal, in: reader)
            let all = try reader.justifications(submissionID: id)
            let revision = all.reduce(0) { $0 + 1 + ($1.countersignedAt == nil ? 0 : 1) + ($1.endedAt == nil ? 0 : 1) }
            let rows = all.filter {
                $0.counts(at: now.milliseconds) && $0.countersignedBy != nil && $0.digest == submission.row.imageDigest
            }
            let author = try Account.find(submission.row.publisherID, in: reader)
            guard let document = OpenVEXDocument.make(rows, revision: revision, of: submission, author: author.name) else {
                throw ServiceError(
                    .notFound, code: "no_statements", "No reviewer has countersigned a justification of this submission's image.")
            }
            return document
        }
    }
}
