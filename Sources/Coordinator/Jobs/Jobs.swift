public import Domain
public import Fabric
public import JSON
public import Storage

/// What Consumers do: send jobs, look at them, cancel them.
public struct Jobs: Sendable {
    let database: any Database
    let bus: any SignalBus
    let surroundings: Surroundings
    private let schemas = InputSchemas()

    /// The use cases over a database.
    public init(database: any Database, bus: any SignalBus, surroundings: Surroundings) {
        self.database = database
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

        /// Reads a request body and gathers everything wrong with it.
        public init(_ object: JSONObject) throws {
            var reader = FieldReader(object)
            let workload = reader.required("workload", reader.string("workload"))
            let input = reader.required("input", reader.object("input"))
            priority = reader.int("priority", in: 0...100) ?? Self.priorityDefault
            maxCredits = reader.int("max_credits", in: 0...Int.max)
            timeoutSeconds = reader.int("timeout_seconds", in: 1...Self.timeoutSecondsMax)
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let workload, let input else {
                throw ServiceError.invalid(reader.mistakes.map(Problem.init))
            }
            self.workload = workload
            self.input = input
        }

        /// Chosen: the middle, so that a Consumer can go both ways.
        static let priorityDefault = 50
        /// The longest timeout of any level.
        private static let timeoutSecondsMax = 600
        /// Chosen: room for documents and small images.
        static let inputBytesMax = 4 << 20
    }

    /// Accepts a job; once this returns, it is on disk.
    ///
    /// - Throws: `not_found` for an unknown Cargo; `conflict` (`cargo_suspended`); `invalid` for an input that does not fit the Cargo's
    ///   input_schema, a timeout above the level's or too large an input.
    public func submit(_ request: Request, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        let input = request.input.text
        guard input.utf8.count <= Request.inputBytesMax else {
            throw ServiceError.invalid([Problem("/input", "must be at most \(Request.inputBytesMax) bytes of JSON")])
        }
        // Checked before the transaction, because it may take a while; the transaction then insists on the same version.
        let checked = try await database.read { try Registry.published(slug: request.workload, in: $0).submission }
        try schemas.check(request.input, against: checked)
        let now = surroundings.now().milliseconds
        let id = surroundings.newIdentifier()
        let job = try await database.write { writer in
            let cargo = try Registry.published(slug: request.workload, in: writer)
            if cargo.submission.row.id != checked.row.id { try schemas.check(request.input, against: cargo.submission) }
            let level = cargo.submission.trustLevel ?? .untrusted
            let most = level.limits.timeout
            let wanted = request.timeoutSeconds.map { Duration.seconds($0) } ?? most
            guard wanted <= most else {
                throw ServiceError.invalid([
                    Problem("/timeout_seconds", "must be at most \(most.components.seconds), the limit of trust level \(level.rawValue)")
                ])
            }
            let row = JobRow(
                id: id, workloadID: cargo.workload.id, submissionID: cargo.submission.row.id, consumerID: principal.accountID,
                state: JobState.pending.rawValue, input: input, priority: request.priority, maxCredits: request.maxCredits,
                timeoutMilliseconds: wanted.milliseconds, createdAt: now)
            try writer.insert(row)
            return try Job(row: row, slug: cargo.workload.slug, version: cargo.submission.row.version)
        }
        bus.signal(Topics.placement)
        return job
    }

    /// A job, for the Consumer that sent it and administrators.
    public func job(_ id: String, for principal: Principal) async throws -> Job {
        try principal.require(.read)
        return try await database.read { try Self.find(id, for: principal, in: $0) }
    }

    /// The Consumer's own jobs, newest first.
    public func list(state: JobState?, page: Page, for principal: Principal) async throws -> Listing<Job> {
        try principal.require(.read)
        return try await database.read { reader in
            let found = try reader.jobs(consumerID: principal.accountID, state: state?.rawValue, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map { try Job.find($0, in: reader) }, total: found.total, page: page)
        }
    }

    static func find(_ id: String, for principal: Principal, in reader: any SQLReader) throws -> Job {
        guard let row = try reader.job(id: id), row.consumerID == principal.accountID || principal.scopes.contains(.admin) else {
            throw ServiceError.notFound("job \(id)")
        }
        return try Job.find(row, in: reader)
    }

    /// What the accepted attempt wrote for its Consumer: the `content` of its `token` frames joined, or else its last frame
    /// as JSON text; `nil` while there is neither.
    public func output(of job: Job, for principal: Principal) async throws -> String? {
        try principal.require(.read)
        let (tokens, terminal) = try await database.read { reader in
            (
                try reader.records(jobID: job.row.id, attempt: job.row.attempt, kind: "token"),
                try reader.records(jobID: job.row.id, attempt: job.row.attempt, kind: "done").last
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
