/// A row of `submissions`: one version of a Cargo.
public struct SubmissionRow: Sendable, Hashable {
    /// Given by the database, from 1; 0 before the row is stored.
    public var id = 0
    /// The Cargo.
    public var workloadID: Int
    /// The account that submits it.
    public var publisherID: String
    /// The state's name.
    public var state: String
    /// The publisher's fields, as JSON text.
    public var fields: String
    /// The words that a search looks through, in lower case.
    public var searchText = ""
    /// The version's text.
    public var version: String
    /// The digest pinned when the review began.
    public var imageDigest: String?
    /// Platforms of the image, parted by spaces; empty before the scan.
    public var platforms = ""
    /// The level given by the reviewer.
    public var trustLevel: Int?
    /// The account that reviewed it.
    public var reviewerID: String?
    /// The reviewer's words.
    public var reviewNote: String?
    /// Why it was rejected.
    public var rejectionReason: String?
    /// The rule that the rejection rests on.
    public var rejectionRule: String?
    /// Milliseconds since 1970 UTC, as are the times below.
    public var createdAt: Int
    /// Last change.
    public var updatedAt: Int
    /// When it entered review.
    public var submittedAt: Int?
    /// When it was approved or rejected.
    public var reviewedAt: Int?
    /// When it entered the registry.
    public var publishedAt: Int?
    /// The rejected submission that this one was made from.
    public var resubmittedFrom: Int?
    /// The other digest that the image's tag was last seen pointing to; `nil` while it points to the pinned one.
    public var tagMovedTo: String?
    /// What is told of its signature, as JSON text; `nil` where none was found valid.
    public var signature: String?

    /// A draft to store.
    public init(workloadID: Int, publisherID: String, state: String, fields: String, version: String, createdAt: Int) {
        self.workloadID = workloadID
        self.publisherID = publisherID
        self.state = state
        self.fields = fields
        self.version = version
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.int("id")
        workloadID = try row.int("workload_id")
        publisherID = try row.text("publisher_id")
        state = try row.text("state")
        fields = try row.text("fields")
        searchText = try row.text("search_text")
        version = try row.text("version")
        imageDigest = try row.optionalText("image_digest")
        platforms = try row.text("platforms")
        trustLevel = try row.optionalInt("trust_level")
        reviewerID = try row.optionalText("reviewer_id")
        reviewNote = try row.optionalText("review_note")
        rejectionReason = try row.optionalText("rejection_reason")
        rejectionRule = try row.optionalText("rejection_rule")
        createdAt = try row.int("created_at")
        updatedAt = try row.int("updated_at")
        submittedAt = try row.optionalInt("submitted_at")
        reviewedAt = try row.optionalInt("reviewed_at")
        publishedAt = try row.optionalInt("published_at")
        resubmittedFrom = try row.optionalInt("resubmitted_from")
        tagMovedTo = try row.optionalText("tag_moved_to")
        signature = try row.optionalText("signature")
    }
}

/// A row of `submission_events`: one thing that happened to a submission.
public struct SubmissionEventRow: Sendable, Hashable {
    /// The submission.
    public let submissionID: Int
    /// Milliseconds since 1970 UTC.
    public let at: Int
    /// The account that did it, or `system`.
    public let actorID: String
    /// What was done.
    public let action: String
    /// The state after it.
    public let toState: String
    /// Words to it; may be empty.
    public let note: String

    /// A row to store.
    public init(submissionID: Int, at: Int, actorID: String, action: String, toState: String, note: String) {
        self.submissionID = submissionID
        self.at = at
        self.actorID = actorID
        self.action = action
        self.toState = toState
        self.note = note
    }
}

extension SQLReader {
    /// The submission of an id.
    public func submission(id: Int) throws -> SubmissionRow? {
        try first("SELECT * FROM submissions WHERE id = ?", [.integer(id)]).map(SubmissionRow.init)
    }

    /// A publisher's submissions, newest first, and how many there are.
    public func submissions(publisherID: String, state: String?, limit: Int, offset: Int) throws -> (rows: [SubmissionRow], total: Int) {
        let filter = "FROM submissions WHERE publisher_id = ?" + (state == nil ? "" : " AND state = ?")
        let arguments = [.text(publisherID)] + (state.map { [SQLValue.text($0)] } ?? [])
        let total = try count("SELECT count(*) AS n \(filter)", arguments)
        let rows = try query(
            "SELECT * \(filter) ORDER BY id DESC LIMIT ? OFFSET ?", arguments + [.integer(limit), .integer(offset)])
        return (try rows.map(SubmissionRow.init), total)
    }

    /// Submissions of all publishers in a state, oldest submitted first, and how many there are.
    public func submissions(inState state: String, limit: Int, offset: Int) throws -> (rows: [SubmissionRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM submissions WHERE state = ?", [.text(state)])
        let rows = try query(
            "SELECT * FROM submissions WHERE state = ? ORDER BY submitted_at, id LIMIT ? OFFSET ?",
            [.text(state), .integer(limit), .integer(offset)])
        return (try rows.map(SubmissionRow.init), total)
    }

    /// How many Cargos of a publisher have a submission in one of the states, leaving one Cargo out of the count.
    public func countWorkloads(publisherID: String, inStates states: [String], otherThan workloadID: Int) throws -> Int {
        let marks = states.map { _ in "?" }.joined(separator: ", ")
        return try count(
            """
            SELECT count(DISTINCT workload_id) AS n FROM submissions
            WHERE publisher_id = ? AND workload_id <> ? AND state IN (\(marks))
            """, [.text(publisherID), .integer(workloadID)] + states.map { SQLValue.text($0) })
    }

    /// The versions of a Cargo that are or were in the registry, newest first, and how many there are.
    public func publishedVersions(workloadID: Int, limit: Int, offset: Int) throws -> (rows: [SubmissionRow], total: Int) {
        let filter = "FROM submissions WHERE workload_id = ? AND published_at IS NOT NULL"
        let total = try count("SELECT count(*) AS n \(filter)", [.integer(workloadID)])
        let rows = try query(
            "SELECT * \(filter) ORDER BY published_at DESC, id DESC LIMIT ? OFFSET ?", [.integer(workloadID), .integer(limit), .integer(offset)])
        return (try rows.map(SubmissionRow.init), total)
    }

    /// How many milliseconds before `now` the submissions in a state were handed in, longest first, at most 10,000 of them.
    public func waitingTimes(inState state: String, at now: Int) throws -> [Int] {
        try query(
            "SELECT ? - submitted_at AS waited FROM submissions WHERE state = ? AND submitted_at IS NOT NULL ORDER BY submitted_at LIMIT 10000",
            [.integer(now), .text(state)]
        ).map { try $0.int("waited") }
    }

    /// What happened to a submission, oldest first.
    public func submissionEvents(submissionID: Int) throws -> [SubmissionEventRow] {
        try query("SELECT * FROM submission_events WHERE submission_id = ? ORDER BY id", [.integer(submissionID)]).map {
            SubmissionEventRow(
                submissionID: try $0.int("submission_id"), at: try $0.int("at"), actorID: try $0.text("actor_id"),
                action: try $0.text("action"), toState: try $0.text("to_state"), note: try $0.text("note"))
        }
    }
}

extension SQLWriter {
    /// Stores a new submission and returns it with its id.
    public func insert(_ row: SubmissionRow) throws -> SubmissionRow {
        let rows = try query(
            """
            INSERT INTO submissions (workload_id, publisher_id, state, fields, search_text, version, platforms, created_at, updated_at,
                resubmitted_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
            """,
            [
                .integer(row.workloadID), .text(row.publisherID), .text(row.state), .text(row.fields), .text(row.searchText),
                .text(row.version), .text(row.platforms), .integer(row.createdAt), .integer(row.updatedAt), .optional(row.resubmittedFrom),
            ])
        guard let stored = rows.first else { throw StorageError(.unexpectedShape, "no row returned") }
        return try SubmissionRow(stored)
    }

    /// Stores every column of a submission but those that never change.
    public func update(_ row: SubmissionRow) throws {
        try execute(
            """
            UPDATE submissions SET workload_id = ?, state = ?, fields = ?, search_text = ?, version = ?, image_digest = ?, platforms = ?,
                trust_level = ?, reviewer_id = ?, review_note = ?, rejection_reason = ?, rejection_rule = ?, updated_at = ?,
                submitted_at = ?, reviewed_at = ?, published_at = ?, tag_moved_to = ?, signature = ? WHERE id = ?
            """,
            [
                .integer(row.workloadID), .text(row.state), .text(row.fields), .text(row.searchText), .text(row.version),
                .optional(row.imageDigest), .text(row.platforms), .optional(row.trustLevel), .optional(row.reviewerID), .optional(row.reviewNote),
                .optional(row.rejectionReason), .optional(row.rejectionRule), .integer(row.updatedAt), .optional(row.submittedAt),
                .optional(row.reviewedAt), .optional(row.publishedAt), .optional(row.tagMovedTo), .optional(row.signature),
                .integer(row.id),
            ])
    }

    /// Removes a submission and all that hangs on it.
    public func deleteSubmission(id: Int) throws {
        try execute("DELETE FROM submission_events WHERE submission_id = ?", [.integer(id)])
        for table in ["scan_documents", "justifications", "rescans", "graces", "submission_signatures"] {
            try execute("DELETE FROM \(table) WHERE submission_id = ?", [.integer(id)])
        }
        try execute("DELETE FROM scans WHERE submission_id = ?", [.integer(id)])
        try execute("DELETE FROM submissions WHERE id = ?", [.integer(id)])
    }

    /// Stores what happened to a submission.
    public func insert(_ row: SubmissionEventRow) throws {
        try execute(
            "INSERT INTO submission_events (submission_id, at, actor_id, action, to_state, note) VALUES (?, ?, ?, ?, ?, ?)",
            [.integer(row.submissionID), .integer(row.at), .text(row.actorID), .text(row.action), .text(row.toState), .text(row.note)])
    }
}
