/// A row of `workloads`: a Cargo, known by its slug.
public struct WorkloadRow: Sendable, Hashable {
    /// Given by the database, from 1.
    public let id: Int
    /// Unique over the platform.
    public let slug: String
    /// The account that published it first.
    public let ownerID: String
    /// The submission that is in the registry now.
    public let publishedSubmissionID: Int?
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        slug = try row.text("slug")
        ownerID = try row.text("owner_id")
        publishedSubmissionID = try row.optionalInt("published_submission_id")
        createdAt = try row.int("created_at")
    }
}

extension SQLReader {
    /// The Cargo of a slug.
    public func workload(slug: String) throws -> WorkloadRow? {
        try first("SELECT * FROM workloads WHERE slug = ?", [.text(slug)]).map(WorkloadRow.init)
    }

    /// The Cargo of an id.
    public func workload(id: Int) throws -> WorkloadRow? {
        try first("SELECT * FROM workloads WHERE id = ?", [.integer(id)]).map(WorkloadRow.init)
    }

    /// The version of a slug that is in the registry now, or suspended, its state and its trust level.
    public func publishedSubmission(slug: String) throws -> (id: Int, state: String, trustLevel: Int?)? {
        try first(
            "SELECT s.id, s.state, s.trust_level FROM workloads w JOIN submissions s ON s.id = w.published_submission_id WHERE w.slug = ?",
            [.text(slug)]
        ).map { (try $0.int("id"), try $0.text("state"), try $0.optionalInt("trust_level")) }
    }

    /// The submissions that are in the registry now, suspended ones left out.
    public func publishedSubmissionIDs() throws -> [Int] {
        try query(
            """
            SELECT s.id FROM workloads w JOIN submissions s ON s.id = w.published_submission_id WHERE s.state = 'published' ORDER BY s.id
            """, []
        ).map { try $0.int("id") }
    }
}

extension SQLWriter {
    /// Stores a new Cargo and returns it. Throws `alreadyExists` when the slug is taken.
    public func insertWorkload(slug: String, ownerID: String, at now: Int) throws -> WorkloadRow {
        let rows = try query(
            "INSERT INTO workloads (slug, owner_id, created_at) VALUES (?, ?, ?) RETURNING *",
            [.text(slug), .text(ownerID), .integer(now)])
        guard let row = rows.first else { throw StorageError(.unexpectedShape, "no row returned") }
        return try WorkloadRow(row)
    }

    /// Puts a version of a Cargo into the registry.
    public func setPublishedSubmission(_ submissionID: Int?, workloadID: Int) throws {
        try execute(
            "UPDATE workloads SET published_submission_id = ? WHERE id = ?", [.optional(submissionID), .integer(workloadID)])
    }

    /// Frees the slug of a Cargo that has no submission left.
    public func deleteWorkloadIfEmpty(id: Int) throws {
        try execute(
            "DELETE FROM workloads WHERE id = ? AND NOT EXISTS (SELECT 1 FROM submissions WHERE workload_id = ?)",
            [.integer(id), .integer(id)])
    }
}
