public import Domain
import Fabric
public import JSON
public import Storage

/// Jobs that are sent together: one Cargo, many inputs, one parent.
public struct Batches: Sendable {
    private let jobs: Jobs
    private let dispatcher: Dispatcher

    /// The use cases beside those of single jobs.
    public init(jobs: Jobs, dispatcher: Dispatcher) {
        self.jobs = jobs
        self.dispatcher = dispatcher
    }

    /// Inputs of one batch at most. Chosen: as many as a page shows.
    public static let inputsMax = 100

    /// What a Consumer asks for.
    public struct Request: Sendable, Hashable {
        /// One for each input; all else is the same.
        let requests: [Jobs.Request]

        /// Reads a request body, `inputs` in place of the `input` of a single job, and gathers everything wrong with it.
        public init(_ object: JSONObject) throws {
            guard let inputs = object["inputs"]?.array else { throw ServiceError.invalid([Problem("/inputs", "must be a list of objects")]) }
            guard (1...Batches.inputsMax).contains(inputs.count) else {
                throw ServiceError.invalid([Problem("/inputs", "must have 1 to \(Batches.inputsMax) inputs")])
            }
            var problems: [Problem] = []
            var common = object
            common["inputs"] = nil
            if common["input"] != nil { problems.append(Problem("/input", "is not a field of a batch; use inputs")) }
            var requests: [Jobs.Request] = []
            for (index, input) in inputs.enumerated() {
                var body = common
                body["input"] = input
                do {
                    requests.append(try Jobs.Request(body))
                } catch let error as ServiceError {
                    // What is wrong beside the input is wrong once.
                    let found = error.details.map { $0.pointer == "/input" ? Problem("/inputs/\(index)", $0.message) : $0 }
                    problems += found.filter { !problems.contains($0) }
                }
            }
            guard problems.isEmpty else { throw ServiceError.invalid(problems) }
            self.requests = requests
        }
    }

    /// A batch and its jobs, in the order of its inputs.
    public struct Batch: Sendable, Hashable {
        /// As it is stored.
        public let row: BatchRow
        /// Its jobs.
        public let jobs: [Job]

        /// How many jobs are in each state.
        public var counts: [JobState: Int] { jobs.reduce(into: [:]) { $0[$1.state, default: 0] += 1 } }
        /// Whether every job is over.
        public var isOver: Bool { jobs.allSatisfy { $0.state.isTerminal } }
    }

    /// Accepts all jobs of a batch, or none.
    ///
    /// - Throws: as ``Jobs/submit(_:key:by:)`` does; what is wrong with an input says which one it is.
    public func submit(_ request: Request, key: IdempotencyKey? = nil, by principal: Principal) async throws -> Batch {
        try principal.require(.write)
        if let key, let earlier = try await jobs.database.read({ try Self.earlier(key, of: principal, in: $0) }) { return earlier }
        let (batch, isNew) = try await jobs.withVersion(of: request.requests.first?.workload ?? "") {
            let all = try await checked(request)
            let now = jobs.surroundings.now()
            let id = jobs.surroundings.newIdentifier()
            let new = all.enumerated().map { index, checked in
                Jobs.New(checked: checked, id: jobs.surroundings.newIdentifier(), batch: .init(id: id, index: index))
            }
            return try await jobs.database.write { writer -> (Batch, Bool) in
                if let key, let earlier = try Self.earlier(key, of: principal, in: writer) { return (earlier, false) }
                let stored = try jobs.insert(new, by: principal, at: now, in: writer)
                let row = BatchRow(
                    id: id, consumerID: principal.accountID, workloadID: stored.first?.row.workloadID ?? 0, jobs: stored.count,
                    createdAt: now.milliseconds)
                try writer.insert(row)
                try key?.remember(id, of: principal.accountID, at: now, in: writer)
                return (Batch(row: row, jobs: stored), true)
            }
        }
        if isNew { jobs.bus.signal(Topics.placement) }
        return batch
    }

    /// All inputs, or everything that is wrong with any of them.
    private func checked(_ request: Request) async throws -> [Jobs.Checked] {
        var checked: [Jobs.Checked] = []
        var problems: [Problem] = []
        for (index, one) in request.requests.enumerated() {
            do {
                checked.append(try await jobs.checked(one, at: "/inputs/\(index)"))
            } catch let error as ServiceError where error.kind == .invalid && !error.details.isEmpty {
                // What is wrong beside the input is wrong once.
                problems += error.details.filter { !problems.contains($0) }
            }
        }
        guard problems.isEmpty else { throw ServiceError.invalid(problems) }
        return checked
    }

    private static func earlier(_ key: IdempotencyKey, of principal: Principal, in reader: any SQLReader) throws -> Batch? {
        guard let id = try key.subject(of: principal.accountID, in: reader) else { return nil }
        let batch = try find(id, for: principal, in: reader)
        return Batch(row: batch.row, jobs: try batch.jobs.map { try Job.asSubmitted($0.row, in: reader) })
    }

    /// A batch, for the Consumer that sent it and administrators.
    public func batch(_ id: String, for principal: Principal) async throws -> Batch {
        try principal.require(.read)
        return try await found(id, for: principal)
    }

    /// The Consumer's own batches, newest first.
    public func list(page: Page, for principal: Principal) async throws -> Listing<Batch> {
        try principal.require(.read)
        return try await jobs.database.read { reader in
            let found = try reader.batches(consumerID: principal.accountID, limit: page.limit, offset: page.offset)
            return Listing(rows: try found.rows.map { try Self.whole($0, in: reader) }, total: found.total, page: page)
        }
    }

    /// Cancels every job of a batch that is not over.
    public func cancel(_ id: String, by principal: Principal) async throws -> Batch {
        try principal.require(.write)
        for job in try await found(id, for: principal).jobs where !job.state.isTerminal {
            do {
                _ = try await dispatcher.cancel(job.row.id, by: principal)
            } catch let error as ServiceError where error.code == "state_conflict" {
                // It was over a moment earlier.
            }
        }
        return try await found(id, for: principal)
    }

    private func found(_ id: String, for principal: Principal) async throws -> Batch {
        try await jobs.database.read { try Self.find(id, for: principal, in: $0) }
    }

    private static func find(_ id: String, for principal: Principal, in reader: any SQLReader) throws -> Batch {
        guard let row = try reader.batch(id: id), row.consumerID == principal.accountID || principal.scopes.contains(.admin) else {
            throw ServiceError.notFound("batch \(id)")
        }
        return try whole(row, in: reader)
    }

    private static func whole(_ row: BatchRow, in reader: any SQLReader) throws -> Batch {
        let rows = try reader.jobs(batchID: row.id)
        // All are of one Cargo, and but for a version published meanwhile of one version.
        var known: [Int: Job] = [:]
        let jobs = try rows.map { row in
            let like = try known[row.submissionID] ?? Job.find(row, in: reader)
            known[row.submissionID] = like
            return try Job(row: row, slug: like.slug, version: like.version)
        }
        return Batch(row: row, jobs: jobs)
    }
}
