/// A row of `job_queue`: a job that waits for an Island.
public struct QueuedJobRow: Sendable, Hashable {
    /// Growing in the order of arrival.
    public let number: Int
    /// The job.
    public let jobID: String
    /// Who sent it.
    public let consumerID: String
    /// 0–100, higher first.
    public let priority: Int
    /// The version that it runs.
    public let submissionID: Int
    /// Regions that its Consumer allows, parted by spaces; empty for all.
    public let regions: String
    /// The number of its newest attempt; 0 before the first.
    public let attempt: Int
    /// Islands that lost an attempt of it, parted by spaces.
    public let failedIslands: String

    init(_ row: SQLRow) throws {
        number = try row.int("number")
        jobID = try row.text("job_id")
        consumerID = try row.text("consumer_id")
        priority = try row.int("priority")
        submissionID = try row.int("submission_id")
        regions = try row.text("regions")
        attempt = try row.int("attempt")
        failedIslands = try row.text("failed_islands")
    }
}

extension SQLReader {
    /// Jobs that wait, in the order of their arrival, from behind a number on.
    public func queuedJobs(after number: Int, limit: Int) throws -> [QueuedJobRow] {
        try query("SELECT * FROM job_queue WHERE number > ? ORDER BY number LIMIT ?", [.integer(number), .integer(limit)]).map(QueuedJobRow.init)
    }
}

extension SQLWriter {
    /// Lets a job wait for an Island.
    public func enqueue(_ row: JobRow) throws {
        try execute(
            """
            INSERT INTO job_queue (job_id, consumer_id, priority, submission_id, regions, attempt, failed_islands) VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.id), .text(row.consumerID), .integer(row.priority), .integer(row.submissionID), .text(row.regions), .integer(row.attempt),
                .text(row.failedIslands),
            ])
    }

    /// Takes a job out of the queue.
    public func dequeue(jobID: String) throws { try execute("DELETE FROM job_queue WHERE job_id = ?", [.text(jobID)]) }

    /// Keeps what came of a job that is over, so that reputations can be computed anew.
    public func insertOutcome(of row: JobRow, succeeded: Bool, fault: String?, code: String?) throws {
        try execute(
            """
            INSERT INTO job_outcomes (job_id, workload_id, submission_id, island_id, attempt, succeeded, fault, code, run_ms, at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.id), .integer(row.workloadID), .integer(row.submissionID), .optional(row.islandID), .integer(row.attempt), .flag(succeeded),
                .optional(fault), .optional(code), .optional(row.runMilliseconds), .integer(row.completedAt ?? row.createdAt),
            ])
    }
}
