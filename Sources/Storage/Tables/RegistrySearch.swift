/// Which Cargos are wanted; `nil` for all.
public struct RegistryFilter: Sendable, Hashable {
    /// Words that slug, name, tags, category or description must all hold, whatever the case and the accents; the last one may be the
    /// beginning of a word. Blank asks for nothing; a text without letters and digits finds nothing.
    public var query: String?
    /// Exactly this category.
    public var category: String?
    /// Has exactly this tag.
    public var tag: String?
    /// Exactly this kind of program.
    public var runtimeType: String?
    /// Exactly this trust level.
    public var trustLevel: Int?
    /// Exactly this tier.
    public var tier: String?
    /// Has the verified badge, or has not.
    public var verified: Bool?

    /// A filter.
    public init(
        query: String? = nil, category: String? = nil, tag: String? = nil, runtimeType: String? = nil, trustLevel: Int? = nil, tier: String? = nil,
        verified: Bool? = nil
    ) {
        self.query = query
        self.category = category
        self.tag = tag
        self.runtimeType = runtimeType
        self.trustLevel = trustLevel
        self.tier = tier
        self.verified = verified
    }
}

/// The order of a list of Cargos; those that are equal stand the newest first.
public enum RegistrySort: String, Sendable, Hashable, CaseIterable {
    /// The best match first; see ``SQLReader/registryEntries(_:sort:limit:offset:)``.
    case relevance
    /// The most jobs first.
    case jobs
    /// The best reputation first, Cargos without one last.
    case reputation
    /// The newest published version first.
    case newest
    /// The lowest price for a job first, then for a token, then for a second.
    case price

    /// In SQL, over `registry_entries` as `e`.
    fileprivate var order: String {
        switch self {
        case .relevance, .newest: "e.published_at DESC, e.workload_id DESC"
        case .jobs: "e.jobs_completed DESC, e.workload_id DESC"
        case .reputation: "e.reputation DESC, e.workload_id DESC"
        case .price: "e.price_per_job, e.price_per_token, e.price_per_second, e.workload_id"
        }
    }
}

/// How many Cargos of an answer have each value, the most frequent first.
public struct RegistryFacets: Sendable, Hashable {
    /// A value and how many have it, at least 1.
    public struct Count: Sendable, Hashable {
        /// The value as text; truth values as `true` and `false`.
        public let value: String
        /// How many Cargos have it.
        public let count: Int
    }

    /// Cargos without a category are in no count.
    public let category: [Count]
    /// At most ``tagsMax``.
    public let tags: [Count]
    /// What kind of program.
    public let runtimeType: [Count]
    /// The tiers.
    public let tier: [Count]
    /// The trust levels.
    public let trustLevel: [Count]
    /// The verified badge.
    public let verified: [Count]

    /// Chosen: as many as people look through.
    public static let tagsMax = 50
}

/// A Cargo that a search found.
public struct RegistryHit: Sendable, Hashable {
    /// What search and lists go by.
    public let entry: RegistryEntryRow
    /// Its published version.
    public let submission: SubmissionRow
}

/// A filter as SQL over `registry_entries` as `e`.
private struct Condition {
    var sql = "e.listed = 1"
    var arguments: [SQLValue] = []
    /// The search text, where there is one.
    var search: String?
    /// How many things beside the search text are asked for.
    private(set) var others = 0

    /// `nil` when nothing can fit.
    init?(_ filter: RegistryFilter, _ dialect: Dialect) {
        if let typed = filter.query, typed.contains(where: { !$0.isWhitespace }) {
            let columns = [("category", filter.category), ("tags", filter.tag)].compactMap { name, words in words.map { (name: name, words: $0) } }
            guard let text = dialect.searchText(typed, columns: columns) else { return nil }
            search = text
            // Alone, the sign keeps SQLite from starting with the matches, however many, where it should walk along the wanted order.
            let isAlone =
                [filter.category, filter.tag, filter.runtimeType, filter.tier].allSatisfy { $0 == nil } && filter.trustLevel == nil
                && filter.verified == nil
            add("\(isAlone ? "+" : "")e.workload_id IN (\(dialect.searchMatches))", .text(text))
            others = 0
        }
        if let category = filter.category { add("e.category = ?", .text(category)) }
        if let tag = filter.tag { add("e.workload_id IN (SELECT workload_id FROM registry_tags WHERE tag = ?)", .text(tag)) }
        if let runtimeType = filter.runtimeType { add("e.runtime_type = ?", .text(runtimeType)) }
        if let trustLevel = filter.trustLevel { add("e.trust_level = ?", .integer(trustLevel)) }
        if let tier = filter.tier { add("e.tier = ?", .text(tier)) }
        if let verified = filter.verified { add("e.verified = ?", .flag(verified)) }
    }

    private mutating func add(_ sql: String, _ argument: SQLValue) {
        self.sql += " AND \(sql)"
        others += 1
        arguments.append(argument)
    }
}

/// Chosen: ranking looks at every match; beyond so many the words say little about any of them.
private let rankedMax = 1000

extension SQLReader {
    /// Listed Cargos that fit a filter, and how many there are.
    ///
    /// The best match is the one with the highest weighted BM25 (slug and name 10, tags 5, category 3, description 1), while at most 1,000
    /// Cargos fit; of more, those with the most jobs come first.
    ///
    /// - Parameter sort: `nil` for relevance where there is a query, else the newest.
    public func registryEntries(
        _ filter: RegistryFilter, sort: RegistrySort?, limit: Int, offset: Int
    ) throws -> (rows: [RegistryHit], total: Int) {
        guard let condition = Condition(filter, dialect) else { return ([], 0) }
        let isRelevance = condition.search != nil && sort ?? .relevance == .relevance
        let order = isRelevance ? RegistrySort.jobs : sort ?? .newest
        let (ids, total) = try pageIDs(condition, order, unlessAtMost: isRelevance ? rankedMax : 0, limit: limit, offset: offset)
        guard isRelevance, total <= rankedMax, offset < total, let search = condition.search else { return (try registryHits(ids), total) }
        return (try registryHits(try rankedIDs(condition, search, limit: limit, offset: offset)), total)
    }

    /// A page in an order that needs no ranking, and how many Cargos fit.
    ///
    /// - Parameter few: when no more than this fit, the page may be left out, because it will be ranked.
    private func pageIDs(
        _ condition: Condition, _ order: RegistrySort, unlessAtMost few: Int, limit: Int, offset: Int
    ) throws -> (ids: [Int], total: Int) {
        let page = [SQLValue.integer(limit), .integer(offset)]
        // Words and more: both answers come from one walk over the matches, since finding those is what takes long.
        if condition.search != nil, condition.others > 0 {
            let rows = try query(
                """
                SELECT e.workload_id, count(*) OVER () AS n FROM registry_entries e WHERE \(condition.sql)
                ORDER BY \(order.order) LIMIT ? OFFSET ?
                """, condition.arguments + page)
            if let total = try rows.first?.int("n") { return (try rows.map { try $0.int("workload_id") }, total) }
        }
        let total = try countEntries(condition)
        guard offset < total, total > few else { return ([], total) }
        let rows = try query(
            "SELECT e.workload_id FROM registry_entries e WHERE \(condition.sql) ORDER BY \(order.order) LIMIT ? OFFSET ?",
            condition.arguments + page)
        return (try rows.map { try $0.int("workload_id") }, total)
    }

    /// What is not listed stands in no full-text row, so a search text alone needs no look at the entries.
    private func countEntries(_ condition: Condition) throws -> Int {
        if let search = condition.search, condition.others == 0 {
            return try count("SELECT count(*) AS n FROM (\(dialect.searchMatches))", [.text(search)])
        }
        return try count("SELECT count(*) AS n FROM registry_entries e WHERE \(condition.sql)", condition.arguments)
    }

    /// How many Cargos hold a text's words, by the full-text index alone.
    public func countMatches(of typed: String) throws -> Int {
        guard let text = dialect.searchText(typed) else { return 0 }
        return try count("SELECT count(*) AS n FROM (\(dialect.searchMatches))", [.text(text)])
    }

    private func rankedIDs(_ condition: Condition, _ search: String, limit: Int, offset: Int) throws -> [Int] {
        let matches = dialect.searchMatches.split(separator: "SELECT rowid ", maxSplits: 1).joined()
        return try query(
            """
            SELECT e.workload_id FROM (SELECT rowid AS id, \(dialect.searchRank) AS distance \(matches)) m
            JOIN registry_entries e ON e.workload_id = m.id WHERE \(condition.sql)
            ORDER BY m.distance, e.workload_id DESC LIMIT ? OFFSET ?
            """, [.text(search)] + condition.arguments + [.integer(limit), .integer(offset)]
        ).map { try $0.int("workload_id") }
    }

    /// The Cargos of a page with their versions, in the order of the ids.
    private func registryHits(_ ids: [Int]) throws -> [RegistryHit] {
        let marks = ids.map { _ in "?" }.joined(separator: ", ")
        let entries = try query("SELECT * FROM registry_entries WHERE workload_id IN (\(marks))", ids.map { .integer($0) }).map(RegistryEntryRow.init)
        let submissions = try query(
            "SELECT s.* FROM registry_entries e JOIN submissions s ON s.id = e.submission_id WHERE e.workload_id IN (\(marks))",
            ids.map { .integer($0) }
        ).map(SubmissionRow.init)
        let byID = Dictionary(submissions.map { ($0.id, $0) }) { $1 }
        var hits: [Int: RegistryHit] = [:]
        for entry in entries { hits[entry.workloadID] = byID[entry.submissionID].map { RegistryHit(entry: entry, submission: $0) } }
        return ids.compactMap { hits[$0] }
    }

    /// How many of the Cargos that fit a filter have each value.
    public func registryFacets(_ filter: RegistryFilter) throws -> RegistryFacets {
        guard let condition = Condition(filter, dialect) else {
            return RegistryFacets(category: [], tags: [], runtimeType: [], tier: [], trustLevel: [], verified: [])
        }
        let groups = try query(
            """
            SELECT e.category, e.runtime_type, e.tier, e.trust_level, e.verified, count(*) AS n FROM registry_entries e
            WHERE \(condition.sql) GROUP BY e.category, e.runtime_type, e.tier, e.trust_level, e.verified
            """, condition.arguments)
        func counts(_ value: (SQLRow) throws -> String?) throws -> [RegistryFacets.Count] {
            var sums: [String: Int] = [:]
            for row in groups { if let value = try value(row) { sums[value, default: 0] += try row.int("n") } }
            return sums.map { RegistryFacets.Count(value: $0.key, count: $0.value) }.sorted { ($1.count, $0.value) < ($0.count, $1.value) }
        }
        // Only what is listed has tags, so without a filter there is no need to look at the entries.
        let wanted =
            condition.arguments.isEmpty ? "" : "WHERE t.workload_id IN (SELECT e.workload_id FROM registry_entries e WHERE \(condition.sql))"
        let tags = try query(
            "SELECT t.tag, count(*) AS n FROM registry_tags t \(wanted) GROUP BY t.tag ORDER BY n DESC, t.tag LIMIT ?",
            condition.arguments + [.integer(RegistryFacets.tagsMax)])
        return RegistryFacets(
            category: try counts { try $0.optionalText("category") },
            tags: try tags.map { RegistryFacets.Count(value: try $0.text("tag"), count: try $0.int("n")) },
            runtimeType: try counts { try $0.text("runtime_type") }, tier: try counts { try $0.text("tier") },
            trustLevel: try counts { "\(try $0.int("trust_level"))" }, verified: try counts { try $0.flag("verified") ? "true" : "false" })
    }
}
