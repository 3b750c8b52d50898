/// A row of `records`: one line of a job's transcript.
public struct RecordRow: Sendable, Hashable {
    /// Job-wide number, from 1, without gaps.
    public let seq: Int
    /// The attempt that wrote it; 0 for what was written before the first.
    public let attempt: Int
    /// The frame's type, for example `token`.
    public let kind: String
    /// The record as it is sent: one JSON object, UTF-8.
    public let body: [UInt8]

    /// A row to store.
    public init(seq: Int, attempt: Int, kind: String, body: [UInt8]) {
        self.seq = seq
        self.attempt = attempt
        self.kind = kind
        self.body = body
    }

    init(_ row: SQLRow) throws {
        seq = try row.int("seq")
        attempt = try row.int("attempt")
        kind = try row.text("kind")
        body = try row.blob("body")
    }
}

extension SQLReader {
    /// Records of a job from a number on, in order: at most `limit` of them and `bytesMax` bytes, but at least one.
    public func records(jobID: String, from seq: Int, limit: Int, bytesMax: Int) throws -> [RecordRow] {
        let sizes = try query(
            "SELECT seq, length(body) AS bytes FROM records WHERE job_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
            [.text(jobID), .integer(seq), .integer(limit)])
        var bytes = 0
        var last: Int?
        for size in sizes {
            bytes += try size.int("bytes")
            if last != nil, bytes > bytesMax { break }
            last = try size.int("seq")
        }
        guard let last else { return [] }
        return try query(
            "SELECT seq, attempt, kind, body FROM records WHERE job_id = ? AND seq >= ? AND seq <= ? ORDER BY seq",
            [.text(jobID), .integer(seq), .integer(last)]
        ).map(RecordRow.init)
    }

    /// Every record of one kind and attempt, in order.
    public func records(jobID: String, attempt: Int, kind: String) throws -> [RecordRow] {
        try query(
            "SELECT seq, attempt, kind, body FROM records WHERE job_id = ? AND attempt = ? AND kind = ? ORDER BY seq",
            [.text(jobID), .integer(attempt), .text(kind)]
        ).map(RecordRow.init)
    }
}

extension SQLWriter {
    /// Stores records of a job.
    public func insert(_ rows: [RecordRow], jobID: String) throws {
        try insertRecords.forEach(of: rows) { sql, rows in
            try execute(sql, rows.flatMap { [.text(jobID), .integer($0.seq), .integer($0.attempt), .text($0.kind), .blob($0.body)] })
        }
    }
}

private let insertRecords = RowStatements("INSERT INTO records (job_id, seq, attempt, kind, body) VALUES ", each: "(?, ?, ?, ?, ?)")
