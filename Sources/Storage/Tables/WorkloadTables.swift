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

    /// Published Cargos whose slug or search text holds `text`, whatever the case (all when `nil`), newest first, and how many there are.
    public func publishedWorkloads(containing text: String?, limit: Int, offset: Int) throws -> (rows: [PublishedWorkloadRow], total: Int) {
        let from = "FROM workloads w JOIN submissions s ON s.id = w.published_submission_id"
        var filter = ""
        var arguments: [SQLValue] = []
        if let text {
            let escaped = text.lowercased().reduce(into: "") { $0 += "%_\\".contains($1) ? "\\\($1)" : String($1) }
            filter = " WHERE w.slug LIKE ? ESCAPE '\\' OR s.search_text LIKE ? ESCAPE '\\'"
            arguments = [.text("%\(escaped)%"), .text("%\(escaped)%")]
        }
        let total = try count("SELECT count(*) AS n \(from)\(filter)", arguments)
        let rows = try query(
            """
            SELECT w.id, w.slug, w.owner_id, w.published_submission_id, w.created_at, s.id AS submission_id
            \(from)\(filter) ORDER BY s.published_at DESC, w.id DESC LIMIT ? OFFSET ?
            """, arguments + [.integer(limit), .integer(offset)])
        return (
            try rows.map { row in
                guard let submission = try submission(id: try row.int("submission_id")) else {
                    throw StorageError(.unexpectedShape, "a published submission is missing")
                }
                return PublishedWorkloadRow(workload: try WorkloadRow(row), submission: submission)
            }, total
        )
    }
}

/// A Cargo with the submission that is in the registry.
public struct PublishedWorkloadRow: Sendable, Hashable {
    /// The Cargo.
    public let workload: WorkloadRow
    /// Its published version.
    public let submission: SubmissionRow
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
