import CargoIO
import Domain
import JSON
import Storage

/// Appends to a job's transcript inside the transaction that moves the job.
struct Transcript {
    /// The job as it will be stored; `records` and `tokens` grow with what is appended.
    var job: JobRow
    /// What was appended.
    private(set) var rows: [RecordRow] = []

    init(_ job: JobRow) { self.job = job }

    /// Appends a frame of the Cargo as it was written.
    mutating func append(_ frame: Frame) {
        job.records += 1
        if frame.type == "token" { job.tokens += 1 }
        let body = TranscriptRecord(frame: frame, seq: job.records, attempt: job.attempt).bytes
        rows.append(RecordRow(seq: job.records, attempt: job.attempt, kind: frame.type, body: body))
    }

    /// Appends a state change.
    mutating func append(status message: String) {
        append(["type": "status", "message": .string(message), "status": .string(job.state)])
    }

    /// Appends the terminal record of a job that ended well: the Cargo's `done` with the job's status and usage.
    mutating func appendDone(_ frame: JSONObject) {
        var object = frame
        object["status"] = .string(job.state)
        object["usage"] = .object(usage(said: frame["usage"]?.object ?? JSONObject()))
        append(object)
    }

    /// Appends the terminal record of a job that did not.
    mutating func appendError(_ failure: JobFailure) {
        append([
            "type": "error", "message": .string(failure.message), "error": .string(failure.message), "status": .string(job.state),
            "fault": .string(failure.fault.rawValue), "code": .string(failure.code), "usage": .object(usage(said: JSONObject())),
        ])
    }

    /// What the Cargo said of its usage, with the tokens that were counted here and the charge.
    private func usage(said: JSONObject) -> JSONObject {
        var usage = said
        usage["completion_tokens"] = usage["completion_tokens"] ?? .int(job.tokens)
        usage["credits_used"] = .int(job.creditsUsed ?? 0)
        return usage
    }

    private mutating func append(_ members: JSONObject) {
        job.records += 1
        var object = members
        object["seq"] = .int(job.records)
        object["attempt"] = .int(job.attempt)
        rows.append(
            RecordRow(
                seq: job.records, attempt: job.attempt, kind: members["type"]?.string ?? "", body: object.bytes))
    }
}
