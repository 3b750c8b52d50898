public import Domain
public import Fabric
public import JSON
public import Storage

/// What Consumers do: send jobs, look at them, cancel them.
public struct Jobs: Sendable {
    let database: any Database
    let bus: any SignalBus
    let surroundings: Surroundings
    let money: JobMoney
    private let schemas = InputSchemas()
    private let terms = JobTermsCache()

    /// The use cases over a database.
    ///
    /// - Parameter platformFee: the platform's percent of each charge, `0...100`.
    public init(database: any Database, bus: any SignalBus, surroundings: Surroundings, platformFee: Int = 0) {
        self.database = database
        money = JobMoney(platformFee: platformFee)
        self.bus = bus
        self.surroundings = surroundings
    }

    /// What a Consumer asks for.
    public struct Request: Sendable, Hashable {
        /// The Cargo's slug.
        public let workload: String
        /// The object that the Cargo reads.
        public let input: JSONObject
        /// 0–100, higher first.
        public let priority: Int
        /// The most that it may cost, in credits; `nil` for the worst case of the level.
        public let maxCredits: Int?
        /// Wall-clock seconds that the Cargo may take, at most its level's; `nil` for the level's.
        public let timeoutSeconds: Int?
        /// Where the job may run, in the words of Islands' owners; empty for anywhere.
        public let regions: [String]
        /// Hours for which input and transcript are kept once the job is over.
        public let retentionHours: Int

        /// Reads a request body and gathers everything wrong with it.
        public init(_ object: JSONObject) throws {
            var reader = FieldReader(object)
            let workload = reader.required("workload", reader.string("workload"))
            let input = reader.required("input", reader.object("input"))
            priority = reader.int("priority", in: 0...100) ?? Self.priorityDefault
            maxCredits = reader.int("max_credits", in: 0...Int.max)
            timeoutSeconds = reader.int("timeout_seconds", in: 1...Self.timeoutSecondsMax)
            retentionHours = reader.int("retention_hours", in: 1...Self.retentionHoursMax) ?? Self.retentionHoursMax
            let regions = reader.strings("regions") ?? []
            if regions.count > Self.regionsMax || regions.contains(where: { $0.isEmpty || $0.utf8.count > 100 || $0.contains(" ") }) {
                reader.note("regions", "must be at most \(Self.regionsMax) names of 1 to 100 characters without spaces")
            }
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let workload, let input else {
                throw ServiceError.invalid(reader.mistakes.map(Problem.init))
            }
            self.workload = workload
            self.input = input
            self.regions = Array(Set(regions)).sorted()
        }

        /// Chosen: the middle, so that a Consumer can go both ways.
        static let priorityDefault = 50
        /// The longest timeout of any level.
        private static let timeoutSecondsMax = 600
        /// Seven days. Source: DESIGN §4.8.
        private static let retentionHoursMax = 168
        /// Chosen: more than a policy names.
        private static let regionsMax = 32
        /// Chosen: room for documents and small images.
        static let inputBytesMax = 4 << 20

        /// What the input says of the tokens that it wants at most; `nil` where it says nothing that counts.
        var tokensMax: Int? { input["max_tokens"]?.int.flatMap { $0 >= 0 ? $0 : nil } }
    }

    /// Accepts a job; once this returns, it is on disk and paid for.
    ///
    /// - Parameter key: the `Idempotency-Key`: the same request under the same key is answered as the first one was, and makes no second job.
    /// - Throws: `not_found` for an unknown Cargo; `conflict` (`cargo_suspended`); `invalid` for an input that does not fit the Cargo's
    ///   input_schema, a timeout above the level's, too large an input, or (`idempotency_key_reused`) another request under a known key;
    ///   `paymentRequired` (`insufficient_credits`).
    public func submit(_ request: Request, key: IdempotencyKey? = nil, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        if let key, let earlier = try await database.read({ try Self.earlier(key, of: principal, in: $0) }) { return earlier }
        let (job, isNew) = try await withVersion(of: request.workload) {
            let checked = try await checked(request)
            let now = surroundings.now()
            let id = surroundings.newIdentifier()
            return try await database.write { writer -> (Job, Bool) in
                // Asked again: the same request may have come twice at the same instant.
                if let key, let earlier = try Self.earlier(key, of: principal, in: writer) { return (earlier, false) }
                let job = try insert(New(checked: checked, id: id), by: principal, at: now, in: writer)
                try key?.remember(id, of: principal.accountID, at: now, in: writer)
                return (job, true)
            }
        }
        if isNew { bus.signal(Topics.placement) }
        return job
    }

    /// Another version was published, or another level given, between the check of an input and the transaction that insists on it.
    private struct VersionMoved: Error {}

    /// Does what goes by a Cargo's published version, anew when another one takes its place meanwhile.
    func withVersion<Value>(of slug: String, _ body: () async throws -> Value) async throws -> Value {
        while true {
            do { return try await body() } catch is VersionMoved { terms.forgetOffer(slug) }
        }
    }

    /// A request whose input fits the Cargo's schema.
    struct Checked: Sendable {
        let request: Request
        /// The input as it is stored.
        let input: String
        /// The version that it was checked against.
        let terms: JobTerms
        /// Where the input stands in the request, for what is wrong with it.
        let pointer: String
    }

    /// Checks what needs no transaction, because it may take a while; the transaction then insists on the same version.
    func checked(_ request: Request, at pointer: String = "/input") async throws -> Checked {
        let input = request.input.text
        guard input.utf8.count <= Request.inputBytesMax else {
            throw ServiceError.invalid([Problem(pointer, "must be at most \(Request.inputBytesMax) bytes of JSON")])
        }
        // Mostly the version is the one of a moment ago. Only what a version that still stands refuses is refused.
        if let last = terms.lastOffered(request.workload), (try? schemas.check(request.input, against: last, at: pointer)) != nil {
            return Checked(request: request, input: input, terms: last, pointer: pointer)
        }
        let now = try await database.read { [terms] in try terms.offered(request.workload, in: $0) }
        let problems =
            try Self.problems { try schemas.check(request.input, against: now, at: pointer) }
            + Self.problems { _ = try Self.timeout(of: request, now.level) } + Self.problems { try Self.requireEnough(request, now) }
        guard problems.isEmpty else { throw ServiceError.invalid(problems) }
        return Checked(request: request, input: input, terms: now, pointer: pointer)
    }

    /// What a check finds wrong with a request.
    private static func problems(_ check: () throws -> Void) throws -> [Problem] {
        do {
            try check()
            return []
        } catch let error as ServiceError where error.kind == .invalid && !error.details.isEmpty {
            return error.details
        }
    }

    /// A job to store.
    struct New: Sendable {
        let checked: Checked
        let id: String
        var batch: JobRow.Batch?
    }

    /// Stores a new job and sets its worst case aside; to be called inside ``withVersion(of:_:)``.
    private func insert(_ new: New, by principal: Principal, at now: Timestamp, in writer: any SQLWriter) throws -> Job {
        try requireVersion(of: [new], in: writer)
        return try store(new, Self.row(for: new, by: principal, at: now), at: now, in: writer)
    }

    /// Stores several new jobs of one Cargo, all or none; to be called inside ``withVersion(of:_:)``.
    ///
    /// Whatever can be refused is looked at before anything is stored, since a write that throws later makes its neighbours run again.
    func insert(_ all: [New], by principal: Principal, at now: Timestamp, in writer: any SQLWriter) throws -> [Job] {
        try requireVersion(of: all, in: writer)
        let rows = try all.map { try Self.row(for: $0, by: principal, at: now) }
        try money.requireCredits(for: rows, in: writer)
        return try zip(all, rows).map { try store($0, $1, at: now, in: writer) }
    }

    private func requireVersion(of all: [New], in reader: any SQLReader) throws {
        guard let slug = all.first?.checked.request.workload else { return }
        let offered = try Registry.publishedSubmission(slug: slug, in: reader)
        guard all.allSatisfy({ ($0.checked.terms.submissionID, $0.checked.terms.level) == offered }) else { throw VersionMoved() }
    }

    private func store(_ new: New, _ row: JobRow, at now: Timestamp, in writer: any SQLWriter) throws -> Job {
        let hold = try money.hold(for: row, at: now, in: writer)
        try writer.insert(row)
        try writer.book(hold)
        try writer.enqueue(row)
        return try Job(row: row, slug: new.checked.terms.slug, version: new.checked.terms.version)
    }

    private static func row(for new: New, by principal: Principal, at now: Timestamp) throws -> JobRow {
        let (request, terms) = (new.checked.request, new.checked.terms)
        let timeout = try timeout(of: request, terms.level)
        var row = JobRow(
            id: new.id, workloadID: terms.workloadID, submissionID: terms.submissionID, consumerID: principal.accountID,
            state: JobState.pending.rawValue, input: new.checked.input, priority: request.priority, maxCredits: request.maxCredits,
            timeoutMilliseconds: timeout.milliseconds, createdAt: now.milliseconds, batch: new.batch,
            regions: request.regions.joined(separator: " "), retentionHours: request.retentionHours)
        row.held = try hold(for: request, terms, timeout: timeout)
        return row
    }

    private static func timeout(of request: Request, _ level: TrustLevel) throws -> Duration {
        let most = level.limits.timeout
        let wanted = request.timeoutSeconds.map { Duration.seconds($0) } ?? most
        guard wanted <= most else {
            throw ServiceError.invalid([
                Problem("/timeout_seconds", "must be at most \(most.components.seconds), the limit of trust level \(level.rawValue)")
            ])
        }
        return wanted
    }

    /// Insists that a job may cost at least what it must.
    private static func requireEnough(_ request: Request, _ terms: JobTerms) throws {
        let least = terms.prices.charge(tokens: 0, runTime: .milliseconds(1))
        guard request.maxCredits ?? least >= least else {
            throw ServiceError.invalid([Problem("/max_credits", "must be at least \(least), which is what the shortest run of this Cargo costs")])
        }
    }

    /// What is set aside for a job.
    private static func hold(for request: Request, _ terms: JobTerms, timeout: Duration) throws -> Int {
        try requireEnough(request, terms)
        return JobCharge.hold(prices: terms.prices, timeout: timeout, tokensMax: request.tokensMax, creditsMax: request.maxCredits)
    }

    /// The job that a key was used for, as it was answered then; `nil` if the key is new.
    private static func earlier(_ key: IdempotencyKey, of principal: Principal, in reader: any SQLReader) throws -> Job? {
        guard let id = try key.subject(of: principal.accountID, in: reader) else { return nil }
        guard let row = try reader.job(id: id) else {
            throw ServiceError(.conflict, code: "job_deleted", "The job of this Idempotency-Key was deleted; use a new key.")
        }
        return try Job.asSubmitted(row, in: reader)
    }

    /// A job, for the Consumer that sent it and administrators.
    public func job(_ id: String, for principal: Principal) async throws -> Job {
        try principal.require(.read)
        return try await database.read { try Self.find(id, for: principal, in: $0) }
    }

    /// The Consumer's own jobs, newest first.
    ///
    /// - Parameter batch: only those of this batch.
    public func list(state: JobState?, batch: String? = nil, page: Page, for principal: Principal) async throws -> Listing<Job> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.jobs(
                consumerID: principal.accountID, state: state?.rawValue, batchID: batch, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map { try Job.find($0, in: reader) }, total: found.total, page: page)
        }
    }

    static func find(_ id: String, for principal: Principal, in reader: any SQLReader) throws -> Job {
        guard let row = try reader.job(id: id), row.consumerID == principal.accountID || principal.scopes.contains(.admin) else {
            throw ServiceError.notFound("job \(id)")
        }
        return try Job.find(row, in: reader)
    }

    /// What is given in one piece, which stands in memory for each who asks. Chosen: as long as a hundred books' worth of tokens.
    public static let outputBytesMax = 8 << 20

    func outputTooLarge(_ job: Job) -> ServiceError {
        ServiceError(
            .conflict, code: "output_too_large",
            "The output of job \(job.row.id) has more than \(Self.outputBytesMax >> 20) MiB; read its records with GET /jobs/\(job.row.id)/stream.")
    }

    /// What the accepted attempt wrote for its Consumer: the `content` of its `token` frames joined, or else its last frame
    /// as JSON text; `nil` while there is neither.
    ///
    /// - Throws: ``ServiceError`` `output_too_large` when it has more than ``outputBytesMax``; its records can be read all the same.
    public func output(of job: Job, for principal: Principal) async throws -> String? {
        try principal.require(.read)
        let (tokens, terminal) = try await database.read { reader in
            let row = job.row
            for kind in ["token", "done"] where try reader.recordBytes(jobID: row.id, attempt: row.attempt, kind: kind) > Self.outputBytesMax {
                throw outputTooLarge(job)
            }
            return (
                try reader.records(jobID: row.id, attempt: row.attempt, kind: "token"),
                try reader.records(jobID: row.id, attempt: row.attempt, kind: "done").last
            )
        }
        if !tokens.isEmpty {
            return tokens.compactMap { try? JSONValue(parsing: $0.body)["content"]?.string }.joined()
        }
        guard let terminal, case .object(var object) = try JSONValue(parsing: terminal.body) else { return nil }
        for name in ["seq", "attempt", "status"] { object[name] = nil }
        return object.text
    }
}
