/// A row of `registry_entries`: what search and lists of the registry go by.
public struct RegistryEntryRow: Sendable, Hashable {
    /// The Cargo.
    public let workloadID: Int
    /// Its published version.
    public let submissionID: Int
    /// The Cargo's slug.
    public let slug: String
    /// Its category, if it has one.
    public let category: String?
    /// What kind of program it is.
    public let runtimeType: String
    /// Its tier's name.
    public let tier: String
    /// Its trust level, 0–3.
    public let trustLevel: Int
    /// Whether it has the verified badge.
    public let verified: Bool
    /// In credits, as are the two below.
    public let pricePerJob: Int
    /// For each output token.
    public let pricePerToken: Int
    /// For each second.
    public let pricePerSecond: Int
    /// When its version entered the registry, milliseconds since 1970 UTC.
    public let publishedAt: Int
    /// 0–1000 thousandths; `nil` while nothing is known.
    public var reputation: Int?
    /// Jobs that ended well, at least 0, over all versions.
    public var jobsCompleted = 0
    /// Jobs that failed by the Cargo's own fault, at least 0, over all versions.
    public var jobsFailed = 0

    /// A row to store; the counts of jobs and the reputation are the database's own.
    public init(
        workloadID: Int, submissionID: Int, slug: String, category: String?, runtimeType: String, tier: String, trustLevel: Int, verified: Bool,
        pricePerJob: Int, pricePerToken: Int, pricePerSecond: Int, publishedAt: Int
    ) {
        self.workloadID = workloadID
        self.submissionID = submissionID
        self.slug = slug
        self.category = category
        self.runtimeType = runtimeType
        self.tier = tier
        self.trustLevel = trustLevel
        self.verified = verified
        self.pricePerJob = pricePerJob
        self.pricePerToken = pricePerToken
        self.pricePerSecond = pricePerSecond
        self.publishedAt = publishedAt
    }

    init(_ row: SQLRow) throws {
        workloadID = try row.int("workload_id")
        submissionID = try row.int("submission_id")
        slug = try row.text("slug")
        category = try row.optionalText("category")
        runtimeType = try row.text("runtime_type")
        tier = try row.text("tier")
        trustLevel = try row.int("trust_level")
        verified = try row.flag("verified")
        pricePerJob = try row.int("price_per_job")
        pricePerToken = try row.int("price_per_token")
        pricePerSecond = try row.int("price_per_second")
        publishedAt = try row.int("published_at")
        let thousandths = try row.int("reputation")
        reputation = thousandths < 0 ? nil : thousandths
        jobsCompleted = try row.int("jobs_completed")
        jobsFailed = try row.int("jobs_failed")
    }
}

/// The words by which a Cargo is found.
public struct RegistryWords: Sendable, Hashable {
    let name: String
    let description: String
    let tags: [String]

    /// The words of a Cargo, as its publisher wrote them.
    public init(name: String, description: String, tags: [String]) {
        self.name = name
        self.description = description
        self.tags = tags
    }
}

extension SQLReader {
    /// What the lists go by for one Cargo, listed or not; `nil` when it was never published.
    public func registryEntry(workloadID: Int) throws -> RegistryEntryRow? {
        try first("SELECT * FROM registry_entries WHERE workload_id = ?", [.integer(workloadID)]).map(RegistryEntryRow.init)
    }

    /// How many Cargos are listed.
    public func countRegistryEntries() throws -> Int { try count("SELECT count(*) AS n FROM registry_entries WHERE listed = 1", []) }
}

extension SQLWriter {
    /// Lists a Cargo's published version in place of what was listed; its counts of jobs and its reputation stay.
    public func putRegistryEntry(_ row: RegistryEntryRow, words: RegistryWords) throws {
        try removeRegistryEntry(workloadID: row.workloadID)
        try execute(
            """
            INSERT INTO registry_entries (workload_id, submission_id, listed, slug, category, runtime_type, tier, trust_level, verified,
                reputation, jobs_completed, jobs_failed, price_per_job, price_per_token, price_per_second, published_at)
            VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, -1, 0, 0, ?, ?, ?, ?)
            ON CONFLICT (workload_id) DO UPDATE SET submission_id = excluded.submission_id, listed = 1, slug = excluded.slug,
                category = excluded.category, runtime_type = excluded.runtime_type, tier = excluded.tier,
                trust_level = excluded.trust_level, verified = excluded.verified, price_per_job = excluded.price_per_job,
                price_per_token = excluded.price_per_token, price_per_second = excluded.price_per_second,
                published_at = excluded.published_at
            """,
            [
                .integer(row.workloadID), .integer(row.submissionID), .text(row.slug), .optional(row.category), .text(row.runtimeType),
                .text(row.tier), .integer(row.trustLevel), .flag(row.verified), .integer(row.pricePerJob), .integer(row.pricePerToken),
                .integer(row.pricePerSecond), .integer(row.publishedAt),
            ])
        for tag in Set(words.tags) {
            try execute("INSERT INTO registry_tags (tag, workload_id) VALUES (?, ?)", [.text(tag), .integer(row.workloadID)])
        }
        try execute(
            "INSERT INTO registry_search (rowid, slug, name, tags, category, description) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .integer(row.workloadID), .text(row.slug), .text(words.name), .text(words.tags.joined(separator: "\n")),
                .text(row.category ?? ""), .text(words.description),
            ])
    }

    /// Takes a Cargo out of search and lists; its counts of jobs and its reputation stay.
    public func removeRegistryEntry(workloadID: Int) throws {
        try execute("UPDATE registry_entries SET listed = 0 WHERE workload_id = ?", [.integer(workloadID)])
        try execute("DELETE FROM registry_tags WHERE workload_id = ?", [.integer(workloadID)])
        try execute("DELETE FROM registry_search WHERE rowid = ?", [.integer(workloadID)])
    }

    /// Counts a job that ended well, or failed by the Cargo's own fault.
    public func addJobOutcome(workloadID: Int, succeeded: Bool) throws {
        let column = succeeded ? "jobs_completed" : "jobs_failed"
        try execute("UPDATE registry_entries SET \(column) = \(column) + 1 WHERE workload_id = ?", [.integer(workloadID)])
    }

    /// Stores a Cargo's reputation, 0–1000 thousandths, or `nil` for none.
    public func setReputation(workloadID: Int, thousandths: Int?) throws {
        try execute(
            "UPDATE registry_entries SET reputation = ? WHERE workload_id = ?", [.integer(thousandths ?? -1), .integer(workloadID)])
    }
}
