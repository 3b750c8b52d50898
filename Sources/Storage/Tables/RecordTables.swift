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

    init(_ row: SQLRow, jobID: String, in folder: RecordFolder) throws {
        seq = try row.int("seq")
        attempt = try row.int("attempt")
        kind = try row.text("kind")
        if let count = try row.optionalInt("file_bytes") {
            body = try folder.bytes(jobID: jobID, seq: seq, count: count)
        } else {
            body = try row.blob("body")
        }
    }
}

extension SQLReader {
    /// Records of a job from a number on, in order: at most `limit` of them and `bytesMax` bytes, but at least one.
    public func records(jobID: String, from seq: Int, limit: Int, bytesMax: Int) throws -> [RecordRow] {
        let sizes = try query(
            "SELECT seq, coalesce(file_bytes, length(body)) AS bytes FROM records WHERE job_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
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
            "SELECT seq, attempt, kind, body, file_bytes FROM records WHERE job_id = ? AND seq >= ? AND seq <= ? ORDER BY seq",
            [.text(jobID), .integer(seq), .integer(last)]
        ).map { try RecordRow($0, jobID: jobID, in: recordFolder) }
    }

    /// How many bytes the records of one kind and attempt have.
    public func recordBytes(jobID: String, attempt: Int, kind: String) throws -> Int {
        try count(
            "SELECT coalesce(sum(coalesce(file_bytes, length(body))), 0) AS n FROM records WHERE job_id = ? AND attempt = ? AND kind = ?",
            [.text(jobID), .integer(attempt), .text(kind)])
    }

    /// Every record of one kind and attempt, in order.
    public func records(jobID: String, attempt: Int, kind: String) throws -> [RecordRow] {
        try query(
            "SELECT seq, attempt, kind, body, file_bytes FROM records WHERE job_id = ? AND attempt = ? AND kind = ? ORDER BY seq",
            [.text(jobID), .integer(attempt), .text(kind)]
        ).map { try RecordRow($0, jobID: jobID, in: recordFolder) }
    }
}

extension SQLWriter {
    /// Stores records of a job; large ones go into files.
    ///
    /// - Parameter job: as it is once they are stored. The newest of them says how far it has come, whether or not its own row is stored too.
    public func insert(_ rows: [RecordRow], of job: JobRow) throws {
        let isLarge = { (row: RecordRow) in row.body.count > RecordFolder.rowBytesMax }
        let large = rows.filter(isLarge)
        let small = large.isEmpty ? rows : rows.filter { !isLarge($0) }
        let newest = rows.last?.seq
        let progress = { (row: RecordRow) -> [SQLValue] in
            row.seq == newest ? [.integer(job.storedUpTo), .integer(job.frameBytes), .integer(job.tokens)] : [.null, .null, .null]
        }
        try insertRecords.forEach(of: small) { sql, rows in
            try execute(
                sql,
                rows.flatMap { [.text(job.id), .integer($0.seq), .integer($0.attempt), .text($0.kind), .blob($0.body)] + progress($0) })
        }
        // First the rows: where one is refused, the file of another stays.
        for row in large {
            try execute(
                insertLargeRecord,
                [.text(job.id), .integer(row.seq), .integer(row.attempt), .text(row.kind), .blob([])] + progress(row) + [.integer(row.body.count)])
        }
        if !large.isEmpty { try recordFolder.store(large, jobID: job.id) }
    }

    /// Removes the records of a job; what it has in files is remembered, and goes by ``Database/removeErasedFiles(pageMax:)``.
    func deleteRecords(jobID: String) throws {
        try execute("DELETE FROM records WHERE job_id = ?", [.text(jobID)])
        if recordFolder.hasAny(of: jobID) { try execute("INSERT INTO erased_files (job_id) VALUES (?) ON CONFLICT DO NOTHING", [.text(jobID)]) }
    }
}

extension Database {
    /// Removes the files of erased jobs, whose rows are gone for good.
    ///
    /// - Parameter pageMax: jobs whose rows are read or removed at once.
    /// - Throws: when some cannot be removed, once the others are.
    public func removeErasedFiles(pageMax: Int) async throws {
        var (last, failure) = ("", (any Error)?.none)
        while true {
            let ids = try await read { [last] reader in
                try reader.query(
                    "SELECT job_id FROM erased_files WHERE job_id > ? ORDER BY job_id LIMIT ?", [.text(last), .integer(pageMax)]
                ).map { try $0.text("job_id") }
            }
            guard let end = ids.last else { break }
            last = end
            var removed: [String] = []
            for id in ids {
                do {
                    try recordFolder.remove(id)
                    removed.append(id)
                } catch {
                    failure = error
                }
            }
            try await write { [removed] writer in
                for id in removed { try writer.execute("DELETE FROM erased_files WHERE job_id = ?", [.text(id)]) }
            }
        }
        if let failure { throw failure }
    }
}

private let insertRecords = RowStatements(
    "INSERT INTO records (job_id, seq, attempt, kind, body, stored_up_to, frame_bytes, tokens) VALUES ", each: "(?, ?, ?, ?, ?, ?, ?, ?)")
private let insertLargeRecord = """
    INSERT INTO records (job_id, seq, attempt, kind, body, stored_up_to, frame_bytes, tokens, file_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """
