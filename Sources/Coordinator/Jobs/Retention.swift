import Domain
import Fabric
import JSON
public import Storage

/// Erases what is no longer to be kept: inputs and transcripts of old jobs, and keys by which repeated requests are known.
public struct Retention: Sendable {
    private let database: any Database
    private let surroundings: Surroundings

    /// Retention over a database; call ``run()`` once.
    public init(database: any Database, surroundings: Surroundings) {
        self.database = database
        self.surroundings = surroundings
    }

    /// Chosen: hours are promised, so a minute late is in time.
    private static let interval: Duration = .seconds(60)
    /// Chosen: a transcript may be megabytes, and other writes wait meanwhile.
    private static let batch = 20

    /// Works until the task is cancelled.
    public func run() async throws {
        while true {
            do {
                while try await eraseSome() {}
                try await database.removeErasedFiles(pageMax: Self.batch)
            } catch  where ServiceError(outage: error) != nil {
                // What could not be erased now is due at the next look too.
            }
            try await surroundings.clock.sleep(for: Self.interval)
        }
    }

    /// Erases a batch; `false` when nothing is due.
    @discardableResult
    func eraseSome() async throws -> Bool {
        let now = surroundings.now().milliseconds
        return try await database.write { writer in
            try writer.deleteIdempotencyKeys(before: now - IdempotencyKey.keptFor.milliseconds)
            let due = try writer.jobsToErase(at: now, limit: Self.batch)
            for id in due { try writer.eraseJob(id: id, at: now) }
            return !due.isEmpty
        }
    }
}

extension Jobs {
    /// Erases a job's input and transcript now, for its Consumer; the job itself stays, for the books. What lay in files is gone within a minute.
    ///
    /// - Throws: `not_found`; `conflict` (`state_conflict`) while the job is not over.
    public func erase(_ id: String, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        let now = surroundings.now().milliseconds
        let job = try await database.write { writer -> Job in
            let job = try Jobs.find(id, for: principal, in: writer)
            guard job.state.isTerminal else {
                throw ServiceError(
                    .conflict, code: "state_conflict", "Job \(id) is \(job.state.rawValue); cancel it first.",
                    context: ["state": .string(job.state.rawValue)])
            }
            try writer.eraseJob(id: id, at: now)
            return try Jobs.find(id, for: principal, in: writer)
        }
        bus.signal(Topics.job(id))
        return job
    }

    /// A job whose transcript can be read.
    ///
    /// - Throws: `not_found`; `gone` (`transcript_erased`).
    public func jobWithTranscript(_ id: String, for principal: Principal) async throws -> Job {
        let job = try await job(id, for: principal)
        guard job.row.erasedAt == nil else {
            throw ServiceError(
                .gone, code: "transcript_erased",
                "The transcript of job \(id) was erased: on request, or because it is kept for \(job.row.retentionHours) hours.")
        }
        return job
    }
}
