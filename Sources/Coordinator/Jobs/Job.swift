public import Domain
import JSON
public import Storage

/// A job as services and faces see it.
public struct Job: Sendable, Hashable {
    /// As the database knows it.
    public let row: JobRow
    /// The Cargo's slug.
    public let slug: String
    /// The version it runs.
    public let version: String
    /// Where it stands.
    public let state: JobState
    /// Why it failed.
    public let failure: JobFailure?

    init(row: JobRow, slug: String, version: String) throws {
        guard let state = JobState(rawValue: row.state) else {
            throw StorageError(.unexpectedShape, "job \(row.id) has the state \(row.state)")
        }
        self.row = row
        self.slug = slug
        self.version = version
        self.state = state
        failure = row.failure.flatMap(JobFailure.init(stored:))
    }

    /// The job as it was answered when it was new.
    static func asSubmitted(_ row: JobRow, in reader: any SQLReader) throws -> Job {
        var row = row.asSubmitted
        row.held = try reader.amountHeld(jobID: row.id)
        return try find(row, in: reader)
    }

    static func find(_ row: JobRow, in reader: any SQLReader) throws -> Job {
        guard let workload = try reader.workload(id: row.workloadID), let submission = try reader.submission(id: row.submissionID) else {
            throw StorageError(.unexpectedShape, "job \(row.id) has no Cargo")
        }
        return try Job(row: row, slug: workload.slug, version: submission.version)
    }
}

extension JobRow {
    /// The job's life as the pure state machine; written back by ``apply(_:)``.
    func lifecycle() throws -> JobLifecycle {
        guard let state = JobState(rawValue: state) else { throw StorageError(.unexpectedShape, "job \(id) has the state \(self.state)") }
        return JobLifecycle(state: state, attempt: attempt, firstCause: firstCause.flatMap(JobFailure.init(stored:)))
    }

    mutating func apply(_ lifecycle: JobLifecycle) {
        state = lifecycle.state.rawValue
        attempt = lifecycle.attempt
        firstCause = lifecycle.firstCause?.stored
    }
}

extension JobFailure {
    /// The failure as the JSON text that is stored.
    var stored: String {
        let json: JSONValue = ["fault": .string(fault.rawValue), "code": .string(code), "message": .string(message)]
        return json.text
    }

    init?(stored text: String) {
        // Stored by this program; an unreadable text is told apart by the caller, who gets nil.
        guard let json = try? JSONValue(parsing: text), let fault = json["fault"]?.string.flatMap(FaultClass.init),
            let code = json["code"]?.string, let message = json["message"]?.string
        else { return nil }
        self.init(fault: fault, code: code, message: message)
    }
}
