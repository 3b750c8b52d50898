import Domain
public import Storage

/// A Cargo as the registry shows it.
public struct PublishedCargo: Sendable, Hashable {
    /// The Cargo.
    public let workload: WorkloadRow
    /// Its published version.
    public let submission: Submission
    /// Jobs that ended well, at least 0.
    public let jobsCompleted: Int
    /// Jobs that failed, at least 0.
    public let jobsFailed: Int
}

/// The Cargo Registry: what Consumers can choose from.
public struct Registry: Sendable {
    private let database: any Database

    /// The registry of a database.
    public init(database: any Database) { self.database = database }

    /// Published Cargos, newest first; `text` is looked for in slugs, names, descriptions, categories and tags.
    public func search(text: String?, page: Page, for principal: Principal) async throws -> Listing<PublishedCargo> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.publishedWorkloads(containing: text, limit: page.limit, offset: page.offset)
            let rows = try found.rows.map { try Self.cargo($0.workload, $0.submission, in: reader) }
            return Listing(rows: rows, total: found.total, page: page)
        }
    }

    /// The published Cargo of a slug.
    public func cargo(slug: String, for principal: Principal) async throws -> PublishedCargo {
        try principal.require(.read)
        return try await database.read { reader in
            let (workload, submission) = try Self.published(slug: slug, in: reader)
            return try Self.cargo(workload, submission.row, in: reader)
        }
    }

    /// The Cargo of a slug with its published version; quick, since every job's submission asks.
    static func published(slug: String, in reader: any SQLReader) throws -> (workload: WorkloadRow, submission: Submission) {
        guard let workload = try reader.workload(slug: slug), let id = workload.publishedSubmissionID,
            let row = try reader.submission(id: id), row.state == SubmissionState.published.rawValue
        else { throw ServiceError.notFound("published Cargo '\(slug)'") }
        return (workload, try Submission(row: row, slug: workload.slug))
    }

    private static func cargo(_ workload: WorkloadRow, _ row: SubmissionRow, in reader: any SQLReader) throws -> PublishedCargo {
        let failed = try reader.countJobs(workloadID: workload.id, inState: JobState.failed.rawValue)
        let timedOut = try reader.countJobs(workloadID: workload.id, inState: JobState.timeout.rawValue)
        return PublishedCargo(
            workload: workload, submission: try Submission(row: row, slug: workload.slug),
            jobsCompleted: try reader.countJobs(workloadID: workload.id, inState: JobState.completed.rawValue),
            jobsFailed: failed + timedOut)
    }
}
