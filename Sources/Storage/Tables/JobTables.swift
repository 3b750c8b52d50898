/// A job: its row of `jobs` and, while it runs, what its newest record says of how far it has come.
public struct JobRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The Cargo.
    public let workloadID: Int
    /// The version that the job runs, even when a newer one is published meanwhile.
    public let submissionID: Int
    /// The account that sent it.
    public let consumerID: String
    /// The state's name.
    public var state: String
    /// The fencing number of the current attempt; 0 before the first.
    public var attempt: Int
    /// The Island of the current attempt.
    public var islandID: String?
    /// Islands that lost an attempt of it, parted by spaces.
    public var failedIslands = ""
    /// JSON object of the failure that caused the first retry.
    public var firstCause: String?
    /// JSON object of the failure that ended it.
    public var failure: String?
    /// The input, as JSON text.
    public let input: String
    /// 0–100, higher first.
    public let priority: Int
    /// The most that it may cost, in credits.
    public let maxCredits: Int?
    /// Wall-clock time that the Cargo may take, in milliseconds.
    public let timeoutMilliseconds: Int
    /// Records in the transcript; the newest one's `seq`.
    public var records: Int
    /// The number of the newest stored frame of the current attempt, as its Island counts.
    public var storedUpTo: Int
    /// Bytes of the stored frames of the current attempt.
    public var frameBytes: Int
    /// `token` frames of the current attempt.
    public var tokens: Int
    /// Credits that are set aside for it; 0 once over.
    public var held = 0
    /// The charge, once over.
    public var creditsUsed: Int?
    /// Milliseconds since 1970 UTC, as are the times below.
    public let createdAt: Int
    /// The batch that it came with.
    public let batch: Batch?
    /// Regions that its Consumer allows, parted by spaces; empty for all.
    public let regions: String
    /// How long input and transcript are kept once it is over.
    public let retentionHours: Int
    /// When they are erased; `nil` while it is not over, and once they are.
    public var keepUntil: Int?
    /// When they were erased.
    public var erasedAt: Int?
    /// The trust level at which the current attempt was given to its Island; `nil` before the first.
    public var level: Int?
    /// Why the Island of the current attempt was chosen, as JSON text.
    public var placement: String?
    /// When the Cargo of the current attempt began.
    public var startedAt: Int?
    /// When it was over.
    public var completedAt: Int?
    /// Wall-clock time of the Cargo, in milliseconds, once over.
    public var runMilliseconds: Int?

    /// A job's place in a batch.
    public struct Batch: Sendable, Hashable {
        /// A UUIDv7.
        public let id: String
        /// From 0, in the order of the inputs.
        public let index: Int

        /// A place in a batch.
        public init(id: String, index: Int) {
            self.id = id
            self.index = index
        }
    }

    /// A job to store.
    public init(
        id: String, workloadID: Int, submissionID: Int, consumerID: String, state: String, input: String, priority: Int, maxCredits: Int?,
        timeoutMilliseconds: Int, createdAt: Int, batch: Batch? = nil, regions: String = "", retentionHours: Int = 168
    ) {
        self.id = id
        self.workloadID = workloadID
        self.submissionID = submissionID
        self.consumerID = consumerID
        self.state = state
        attempt = 0
        self.input = input
        self.priority = priority
        self.maxCredits = maxCredits
        self.timeoutMilliseconds = timeoutMilliseconds
        records = 0
        storedUpTo = 0
        frameBytes = 0
        tokens = 0
        self.createdAt = createdAt
        self.batch = batch
        self.regions = regions
        self.retentionHours = retentionHours
    }

    /// The job as it was when it was new.
    public var asSubmitted: JobRow {
        JobRow(
            id: id, workloadID: workloadID, submissionID: submissionID, consumerID: consumerID, state: "pending", input: input, priority: priority,
            maxCredits: maxCredits, timeoutMilliseconds: timeoutMilliseconds, createdAt: createdAt, batch: batch,
            regions: regions, retentionHours: retentionHours)
    }

    /// The states of jobs that are not over.
    fileprivate static let openStates: Set = ["pending", "queued", "running"]

    /// Every column, with an empty text for `input`, which may be megabytes.
    fileprivate static let columnsWithoutInput = """
        id, workload_id, submission_id, consumer_id, state, attempt, island_id, failed_islands, first_cause, failure, '' AS input, priority,
        max_credits, timeout_ms, records, stored_up_to, frame_bytes, tokens, held, credits_used, created_at, started_at, completed_at,
        run_ms, batch_id, batch_index, regions, level, placement,
        retention_hours, keep_until, erased_at
        """

    /// Made once: every step of a job asks.
    fileprivate static let selectWithoutInput = "SELECT \(columnsWithoutInput) FROM jobs WHERE id = ?"

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        workloadID = try row.int("workload_id")
        submissionID = try row.int("submission_id")
        consumerID = try row.text("consumer_id")
        state = try row.text("state")
        attempt = try row.int("attempt")
        islandID = try row.optionalText("island_id")
        failedIslands = try row.text("failed_islands")
        firstCause = try row.optionalText("first_cause")
        failure = try row.optionalText("failure")
        input = try row.text("input")
        priority = try row.int("priority")
        maxCredits = try row.optionalInt("max_credits")
        timeoutMilliseconds = try row.int("timeout_ms")
        records = try row.int("records")
        storedUpTo = try row.int("stored_up_to")
        frameBytes = try row.int("frame_bytes")
        tokens = try row.int("tokens")
        held = try row.int("held")
        creditsUsed = try row.optionalInt("credits_used")
        createdAt = try row.int("created_at")
        startedAt = try row.optionalInt("started_at")
        completedAt = try row.optionalInt("completed_at")
        runMilliseconds = try row.optionalInt("run_ms")
        regions = try row.text("regions")
        level = try row.optionalInt("level")
        placement = try row.optionalText("placement")
        retentionHours = try row.int("retention_hours")
        keepUntil = try row.optionalInt("keep_until")
        erasedAt = try row.optionalInt("erased_at")
        if let id = try row.optionalText("batch_id") { batch = Batch(id: id, index: try row.int("batch_index")) } else { batch = nil }
    }

    /// Whether frames may have come since its row was written, of which only the records know.
    fileprivate var mayBeBehind: Bool { state == "running" }

    /// Takes over how far the current attempt has come by the word of the newest record.
    fileprivate mutating func catchUp(with newest: SQLRow) throws {
        // A record of before there were these columns says nothing; then the row itself was kept up to date.
        guard try newest.int("attempt") == attempt, let storedUpTo = try newest.optionalInt("stored_up_to") else { return }
        self.storedUpTo = storedUpTo
        records = try newest.int("seq")
        frameBytes = try newest.int("frame_bytes")
        tokens = try newest.int("tokens")
    }
}

extension SQLReader {
    /// The job of an id.
    ///
    /// - Parameter withInput: an input may be megabytes, which most who ask do not need; `false` leaves it empty.
    public func job(id: String, withInput: Bool = true) throws -> JobRow? {
        try first(withInput ? "SELECT * FROM jobs WHERE id = ?" : JobRow.selectWithoutInput, [.text(id)]).map(job)
    }

    /// A job from its row and, while it runs, its newest record.
    private func job(_ row: SQLRow) throws -> JobRow {
        var job = try JobRow(row)
        guard job.mayBeBehind else { return job }
        let newest = try first(
            "SELECT seq, attempt, stored_up_to, frame_bytes, tokens FROM records WHERE job_id = ? ORDER BY seq DESC LIMIT 1", [.text(job.id)])
        if let newest { try job.catchUp(with: newest) }
        return job
    }

    /// A Consumer's jobs without their inputs, newest first, and how many there are.
    public func jobs(consumerID: String, state: String?, batchID: String? = nil, limit: Int, offset: Int) throws -> (rows: [JobRow], total: Int) {
        // Whether a job is over says which index has it.
        let inState = state.map { " AND state = ? AND completed_at IS \(JobRow.openStates.contains($0) ? "" : "NOT ")NULL" }
        let filter = "FROM jobs WHERE consumer_id = ?" + (inState ?? "") + (batchID == nil ? "" : " AND batch_id = ?")
        let arguments = [.text(consumerID)] + [state, batchID].compactMap { $0.map(SQLValue.text) }
        let total = try count("SELECT count(*) AS n \(filter)", arguments)
        let rows = try query(
            "SELECT \(JobRow.columnsWithoutInput) \(filter) ORDER BY id DESC LIMIT ? OFFSET ?",
            arguments + [.integer(limit), .integer(offset)])
        return (try rows.map(job), total)
    }

    /// The jobs of a batch in the order of its inputs, without these.
    public func jobs(batchID: String) throws -> [JobRow] {
        try query("SELECT \(JobRow.columnsWithoutInput) FROM jobs WHERE batch_id = ? ORDER BY batch_index", [.text(batchID)]).map(job)
    }

    /// The batch of an id.
    public func batch(id: String) throws -> BatchRow? { try first("SELECT * FROM batches WHERE id = ?", [.text(id)]).map(BatchRow.init) }

    /// A Consumer's batches, newest first, and how many there are.
    public func batches(consumerID: String, limit: Int, offset: Int) throws -> (rows: [BatchRow], total: Int) {
        let total = try count("SELECT count(*) AS n FROM batches WHERE consumer_id = ?", [.text(consumerID)])
        let rows = try query(
            "SELECT * FROM batches WHERE consumer_id = ? ORDER BY id DESC LIMIT ? OFFSET ?", [.text(consumerID), .integer(limit), .integer(offset)])
        return (try rows.map(BatchRow.init), total)
    }

    /// Jobs that are to be erased by now.
    public func jobsToErase(at now: Int, limit: Int) throws -> [String] {
        try query("SELECT id FROM jobs WHERE keep_until <= ? ORDER BY keep_until LIMIT ?", [.integer(now), .integer(limit)]).map { try $0.text("id") }
    }

    /// Every job that is not over and is in one of the states, without its input.
    ///
    /// - Parameter submissionIDs: only those that run one of these versions; `nil` for all.
    public func openJobs(inStates states: [String], ofVersions submissionIDs: Set<Int>? = nil) throws -> [JobRow] {
        let marks = { (count: Int) in Array(repeating: "?", count: count).joined(separator: ", ") }
        let ofVersions = submissionIDs.map { " AND submission_id IN (\(marks($0.count)))" } ?? ""
        return try query(
            "SELECT \(JobRow.columnsWithoutInput) FROM jobs WHERE completed_at IS NULL AND state IN (\(marks(states.count)))\(ofVersions) ORDER BY id",
            states.map { .text($0) } + (submissionIDs ?? []).map { .integer($0) }
        ).map(job)
    }
}

extension SQLWriter {
    /// Stores a new job.
    public func insert(_ row: JobRow) throws {
        try execute(
            """
            INSERT INTO jobs (id, workload_id, submission_id, consumer_id, state, attempt, failed_islands, input, priority, max_credits, timeout_ms,
                records, stored_up_to, frame_bytes, tokens, held, created_at, batch_id, batch_index, regions, retention_hours)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.id), .integer(row.workloadID), .integer(row.submissionID), .text(row.consumerID), .text(row.state),
                .integer(row.attempt), .text(row.failedIslands), .text(row.input), .integer(row.priority), .optional(row.maxCredits),
                .integer(row.timeoutMilliseconds), .integer(row.records), .integer(row.storedUpTo), .integer(row.frameBytes),
                .integer(row.tokens), .integer(row.held), .integer(row.createdAt),
                .optional(row.batch?.id), .optional(row.batch?.index), .text(row.regions),
                .integer(row.retentionHours),
            ])
    }

    /// Stores a new batch.
    public func insert(_ row: BatchRow) throws {
        try execute(
            "INSERT INTO batches (id, consumer_id, workload_id, jobs, created_at) VALUES (?, ?, ?, ?, ?)",
            [.text(row.id), .text(row.consumerID), .integer(row.workloadID), .integer(row.jobs), .integer(row.createdAt)])
    }

    /// Stores every column of a job that can change.
    public func update(_ row: JobRow) throws {
        try execute(
            """
            UPDATE jobs SET state = ?, attempt = ?, island_id = ?, failed_islands = ?, first_cause = ?, failure = ?, records = ?, stored_up_to = ?,
                frame_bytes = ?, tokens = ?, held = ?, credits_used = ?, started_at = ?, completed_at = ?, run_ms = ?,
                level = ?, placement = ?, keep_until = ? WHERE id = ?
            """,
            [
                .text(row.state), .integer(row.attempt), .optional(row.islandID), .text(row.failedIslands), .optional(row.firstCause),
                .optional(row.failure), .integer(row.records), .integer(row.storedUpTo), .integer(row.frameBytes), .integer(row.tokens),
                .integer(row.held), .optional(row.creditsUsed), .optional(row.startedAt), .optional(row.completedAt),
                .optional(row.runMilliseconds), .optional(row.level), .optional(row.placement), .optional(row.keepUntil),
                .text(row.id),
            ])
    }

    /// Stores every column of a job that can change while it is not over, which spares the indexes that only its end is in.
    public func updateOpen(_ row: JobRow) throws {
        try execute(
            """
            UPDATE jobs SET state = ?, attempt = ?, island_id = ?, failed_islands = ?, first_cause = ?, records = ?, stored_up_to = ?,
                frame_bytes = ?, tokens = ?, started_at = ?, level = ?, placement = ? WHERE id = ?
            """,
            [
                .text(row.state), .integer(row.attempt), .optional(row.islandID), .text(row.failedIslands), .optional(row.firstCause),
                .integer(row.records), .integer(row.storedUpTo), .integer(row.frameBytes), .integer(row.tokens), .optional(row.startedAt),
                .optional(row.level), .optional(row.placement), .text(row.id),
            ])
    }

    /// Erases what a Consumer sent and what came of it; the job itself stays, for the books.
    public func eraseJob(id: String, at now: Int) throws {
        try deleteRecords(jobID: id)
        try execute("UPDATE jobs SET input = '{}', keep_until = NULL, erased_at = ? WHERE id = ?", [.integer(now), .text(id)])
    }

    /// Keeps what an Island said of an attempt that was no longer its own, up to ``LateResults/keptMax`` for a job.
    public func insertLateResult(jobID: String, attempt: Int, islandID: String, what: String, at now: Int) throws {
        try execute(
            """
            INSERT INTO late_results (job_id, attempt, island_id, at, what)
            SELECT ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM late_results WHERE job_id = ?) < ?
            """,
            [
                .text(jobID), .integer(attempt), .text(islandID), .integer(now), .text(what), .text(jobID),
                .integer(LateResults.keptMax),
            ])
    }
}

/// A row of `batches`: jobs that were sent together.
public struct BatchRow: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// The account that sent it.
    public let consumerID: String
    /// The Cargo.
    public let workloadID: Int
    /// How many jobs it has.
    public let jobs: Int
    /// Milliseconds since 1970 UTC.
    public let createdAt: Int

    /// A batch to store.
    public init(id: String, consumerID: String, workloadID: Int, jobs: Int, createdAt: Int) {
        self.id = id
        self.consumerID = consumerID
        self.workloadID = workloadID
        self.jobs = jobs
        self.createdAt = createdAt
    }

    init(_ row: SQLRow) throws {
        id = try row.text("id")
        consumerID = try row.text("consumer_id")
        workloadID = try row.int("workload_id")
        jobs = try row.int("jobs")
        createdAt = try row.int("created_at")
    }
}

/// Evidence of results that came too late.
public enum LateResults {
    /// Chosen: enough to see what an Island did, and no more than a page for one job.
    public static let keptMax = 16
    /// Chosen: characters of each; enough for any failure's name.
    public static let wordsMax = 1000
}
