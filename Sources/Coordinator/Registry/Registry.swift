import Domain
public import Storage

/// A Cargo as the registry shows it.
public struct PublishedCargo: Sendable, Hashable {
    /// The Cargo.
    public let workload: WorkloadRow
    /// Its published version, or the one that is suspended.
    public let submission: Submission
    /// Who publishes it.
    public let publisher: Account
    /// What search and lists go by, with the counts of its jobs.
    public let entry: RegistryEntryRow
}

/// One version of a Cargo that is or was in the registry.
public struct PublishedVersion: Sendable, Hashable {
    /// The version.
    public let submission: Submission
    /// Whether it is the one that new jobs run.
    public let isCurrent: Bool
}

/// The Cargo Registry: what Consumers can choose from.
public struct Registry: Sendable {
    private let database: any Database

    /// The registry of a database.
    public init(database: any Database) { self.database = database }

    /// A Cargo in a list.
    public struct Hit: Sendable, Hashable {
        /// What search and lists go by, with the counts of its jobs.
        public let entry: RegistryEntryRow
        /// Its published version.
        public let submission: Submission
    }

    /// What a search found.
    public struct Found: Sendable {
        /// The page.
        public let listing: Listing<Hit>
        /// How many Cargos of the whole answer have each category, tag and so on; `nil` when nobody asked.
        public let facets: RegistryFacets?
    }

    /// Published Cargos that fit a filter.
    ///
    /// - Parameter sort: `nil` for the best match first where there is a query, else the newest first.
    public func search(
        _ filter: RegistryFilter, sort: RegistrySort?, withFacets: Bool, page: Page, for principal: Principal
    ) async throws -> Found {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.registryEntries(filter, sort: sort, limit: page.limit, offset: page.offset)
            let hits = try found.rows.map { Hit(entry: $0.entry, submission: try Submission(row: $0.submission, slug: $0.entry.slug)) }
            return Found(
                listing: Listing(rows: hits, total: found.total, page: page), facets: withFacets ? try reader.registryFacets(filter) : nil)
        }
    }

    /// The Cargo of a slug; also while it is suspended, so that people see why it is gone.
    public func cargo(slug: String, for principal: Principal) async throws -> PublishedCargo {
        try principal.require(.read)
        return try await database.read { try Self.cargo(slug: slug, in: $0) }
    }

    /// The signature of a Cargo's version, with all that it takes to verify it again.
    ///
    /// - Throws: `not_found`; also `not_signed` for a version without one.
    public func signature(slug: String, for principal: Principal) async throws -> (submission: Submission, row: SubmissionSignatureRow) {
        try principal.require(.read)
        return try await database.read { reader in
            let submission = try Self.cargo(slug: slug, in: reader).submission
            guard let row = try reader.submissionSignature(submissionID: submission.row.id) else {
                throw ServiceError(.notFound, code: "not_signed", "\(slug) \(submission.row.version) has no signature that was verified.")
            }
            return (submission, row)
        }
    }

    /// The versions of a Cargo that are or were in the registry, newest first.
    public func versions(slug: String, page: Page, for principal: Principal) async throws -> Listing<PublishedVersion> {
        try principal.require(.read)
        return try await database.read { reader in
            let workload = try Self.workload(slug: slug, in: reader)
            let found = try reader.publishedVersions(workloadID: workload.id, limit: page.limit, offset: page.offset)
            let rows = try found.rows.map { row in
                PublishedVersion(
                    submission: try Submission(row: row, slug: slug),
                    isCurrent: row.id == workload.publishedSubmissionID && row.state == SubmissionState.published.rawValue)
            }
            return Listing(rows: rows, total: found.total, page: page)
        }
    }

    /// The Cargo of a slug with its published version, for a job.
    ///
    /// - Throws: `not_found`; `conflict` (`cargo_suspended`) while the Cargo is suspended.
    static func published(slug: String, in reader: any SQLReader) throws -> (workload: WorkloadRow, submission: Submission) {
        let workload = try workload(slug: slug, in: reader)
        let submission = try Submission.find(workload.publishedSubmissionID ?? 0, in: reader)
        guard submission.state == .published else { throw suspended(slug) }
        return (workload, submission)
    }

    /// The published version of a Cargo and its trust level, for a job; one small read, since every job's submission asks.
    ///
    /// - Throws: as ``published(slug:in:)`` does.
    static func publishedSubmission(slug: String, in reader: any SQLReader) throws -> (id: Int, level: TrustLevel) {
        guard let found = try reader.publishedSubmission(slug: slug) else { throw notFound(slug) }
        guard found.state == SubmissionState.published.rawValue else { throw suspended(slug) }
        return (found.id, found.trustLevel.flatMap(TrustLevel.init) ?? .untrusted)
    }

    private static func notFound(_ slug: String) -> ServiceError {
        ServiceError.notFound("published Cargo '\(slug.prefix(Slug.lengths.upperBound))'")
    }

    private static func suspended(_ slug: String) -> ServiceError {
        ServiceError(.conflict, code: "cargo_suspended", "The Cargo '\(slug)' is suspended and takes no jobs now.")
    }

    private static func workload(slug: String, in reader: any SQLReader) throws -> WorkloadRow {
        guard let workload = try reader.workload(slug: slug), workload.publishedSubmissionID != nil else {
            throw notFound(slug)
        }
        return workload
    }

    static func cargo(slug: String, in reader: any SQLReader) throws -> PublishedCargo {
        let workload = try workload(slug: slug, in: reader)
        let submission = try Submission.find(workload.publishedSubmissionID ?? 0, in: reader)
        let entry = try reader.registryEntry(workloadID: workload.id) ?? entry(of: submission)
        return PublishedCargo(
            workload: workload, submission: submission, publisher: try Account.find(submission.row.publisherID, in: reader), entry: entry)
    }

    /// Puts a published version into search and lists, in the transaction that publishes it.
    static func show(_ submission: Submission, in writer: any SQLWriter) throws {
        let fields = submission.fields
        try writer.putRegistryEntry(
            entry(of: submission),
            words: RegistryWords(name: fields.name ?? "", description: fields.summary ?? "", tags: fields.tags ?? []))
    }

    /// Takes a Cargo out of search and lists.
    static func hide(_ submission: Submission, in writer: any SQLWriter) throws {
        try writer.removeRegistryEntry(workloadID: submission.row.workloadID)
    }

    private static func entry(of submission: Submission) -> RegistryEntryRow {
        let fields = submission.fields
        let level = submission.trustLevel ?? .untrusted
        return RegistryEntryRow(
            workloadID: submission.row.workloadID, submissionID: submission.row.id, slug: submission.slug, category: fields.category,
            runtimeType: fields.runtimeType ?? "", tier: level.tier.rawValue, trustLevel: level.rawValue, verified: level >= .verified,
            pricePerJob: fields.pricePerJob ?? 0,
            pricePerToken: fields.pricePerToken ?? 0, pricePerSecond: fields.pricePerSecond ?? 0, publishedAt: submission.row.publishedAt ?? 0)
    }

    /// Fills search and lists from what is published, where an earlier version of the program kept neither. Returns how many Cargos it added.
    @discardableResult
    public func fillIfEmpty() async throws -> Int {
        guard try await database.read({ try $0.countRegistryEntries() == 0 && !$0.publishedSubmissionIDs().isEmpty }) else { return 0 }
        return try await database.write { writer in
            let ids = try writer.publishedSubmissionIDs()
            for id in ids { try Self.show(try Submission.find(id, in: writer), in: writer) }
            return ids.count
        }
    }
}
