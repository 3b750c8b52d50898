import Domain
public import Fabric
import IslandLink
import JSON
public import Storage

/// Gives jobs to Islands, and takes what they bring.
///
/// The truth stands in the database: every step re-reads the job inside its transaction and asks ``JobLifecycle`` what an
/// event means, so a late or repeated message changes nothing. This actor holds only what lives as long as connections do:
/// who is connected, and when each lease ends.
public actor Dispatcher {
    let database: any Database
    let bus: any SignalBus
    let surroundings: Surroundings
    var sessions: [String: IslandSession] = [:]
    var leases: [String: Lease] = [:]
    private var sessionCount = 0
    private var isRecovered = false

    /// One attempt's hold on its job.
    struct Lease: Sendable {
        let attempt: AttemptID
        let island: String
        /// When the Island must have renewed it.
        var until: Timestamp
        /// When it must be over, however often it is renewed.
        var overdueAt: Timestamp
    }

    /// A dispatcher of a database; call ``run()`` once.
    public init(database: any Database, bus: any SignalBus, surroundings: Surroundings) {
        self.database = database
        self.bus = bus
        self.surroundings = surroundings
    }

    /// Chosen: an Island may need this long to fetch and unpack an image before the Cargo starts.
    static let preparationMax: Duration = .seconds(600)
    /// Chosen: what an Island gets beyond the Cargo's timeout for its end to reach the coordinator.
    static let finishingMax: Duration = .seconds(20)
    /// Chosen: how often leases are looked at; a thirtieth of their length.
    private static let leaseCheckInterval: Duration = .seconds(1)
    /// Chosen: jobs looked at in one turn of placement.
    private static let placementBatch = 256

    /// Works until the task is cancelled.
    public func run() async throws {
        try await recover()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.placeWhenSignalled() }
            group.addTask { try await self.watchLeases() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Takes over what a stopped process left: attempts under way get a lease's length to come back.
    private func recover() async throws {
        guard !isRecovered else { return }
        let active = [JobState.queued, .running].map(\.rawValue)
        let rows = try await database.read { try $0.jobs(inStates: active) }
        guard !isRecovered else { return }
        isRecovered = true
        let now = surroundings.now()
        for row in rows {
            guard let island = row.islandID else { continue }
            let attempt = AttemptID(job: row.id, number: row.attempt)
            let left = Duration.milliseconds(row.timeoutMilliseconds) + Self.preparationMax
            leases[row.id] = Lease(attempt: attempt, island: island, until: now + LeaseTerms.length, overdueAt: now + left)
        }
    }

    private func placeWhenSignalled() async throws {
        let signals = bus.signals(on: Topics.placement)
        try await placeAll()
        for await _ in signals { try await placeAll() }
    }

    private func watchLeases() async throws {
        while true {
            try await surroundings.clock.sleep(for: Self.leaseCheckInterval)
            let now = surroundings.now()
            for job in Array(leases.keys) {
                // Looked up anew after every wait: it may have been renewed, or be another attempt's by now.
                guard let lease = leases[job], lease.until <= now || lease.overdueAt <= now else { continue }
                let failure =
                    lease.until <= now
                    ? JobFailure(fault: .island, code: "lease_lost", message: "The Island was not heard of in time.")
                    : JobFailure(fault: .island, code: "overdue", message: "The Island did not end the job in time.")
                try await end(lease.attempt, island: lease.island, .failed(failure))
                sessions[lease.island]?.send(.cancel(lease.attempt))
            }
        }
    }

    // MARK: Placement

    private func placeAll() async throws {
        // Versions that no connected Island can take now: their jobs wait, and hold up nobody else's.
        var unplaceable: Set<Int> = []
        while sessions.values.contains(where: { $0.held.count < $0.capabilities.slots }) {
            let skipped = unplaceable
            let rows = try await database.read { try $0.pendingJobs(notOf: skipped, limit: Self.placementBatch) }
            if rows.isEmpty { return }
            for row in rows where !unplaceable.contains(row.submissionID) {
                if try await !place(row) { unplaceable.insert(row.submissionID) }
            }
        }
    }

    /// Gives a job to an Island; returns `false` when none fits now.
    private func place(_ job: JobRow) async throws -> Bool {
        let cargo = try await database.read { reader -> Submission in try Submission.find(job.submissionID, in: reader) }
        guard let requirements = JobRequirements(cargo) else { return false }
        let candidates = sessions.values.map { session in
            PlacementCandidate(
                island: session.island, capabilities: session.capabilities, jobsHeld: session.held.count, isDrained: session.isDrained,
                hasFailedThisJob: job.failedIslands.contains(session.island))
        }
        guard let island = Placement.choose(for: requirements, among: candidates), let session = sessions[island] else { return false }
        let attempt = AttemptID(job: job.id, number: job.attempt + 1)
        session.held.insert(attempt)
        let placed = try await database.write { writer -> JobRow? in
            guard var row = try writer.job(id: job.id) else { return nil }
            var lifecycle = try row.lifecycle()
            guard lifecycle.placed() == .moved, lifecycle.attempt == attempt.number else { return nil }
            row.apply(lifecycle)
            row.islandID = island
            (row.storedUpTo, row.frameBytes, row.tokens, row.startedAt) = (0, 0, 0, nil)
            var transcript = Transcript(row)
            transcript.append(status: attempt.number == 1 ? "queued" : "restarted")
            try transcript.save(in: writer)
            return transcript.job
        }
        guard let placed, let input = try JSONValue(parsing: placed.input).object else {
            session.held.remove(attempt)
            return true
        }
        let now = surroundings.now()
        leases[job.id] = Lease(
            attempt: attempt, island: island, until: now + LeaseTerms.length,
            overdueAt: now + .milliseconds(placed.timeoutMilliseconds) + Self.preparationMax)
        bus.signal(Topics.job(job.id))
        guard sessions[island] === session else {
            let failure = JobFailure(fault: .platform, code: "link_lost", message: "The Island left before the job reached it.")
            try await end(attempt, island: island, .failed(failure))
            return true
        }
        session.send(
            .assign(
                .init(
                    attempt: attempt, slug: cargo.slug, runtime: requirements.runtime, image: cargo.fields.containerImage ?? "",
                    digest: cargo.row.imageDigest ?? "", level: requirements.level, timeoutMilliseconds: placed.timeoutMilliseconds,
                    input: input)))
        return true
    }

    // MARK: Sessions

    /// Adds a connected Island; an older connection of the same Island is closed.
    ///
    /// Nothing is placed on the Island between its hello and its welcome: it is among the sessions only at the very end, and no
    /// wait comes after the leases were read for the last time.
    func open(_ island: IslandRow, _ hello: IslandMessage.Hello) async throws -> IslandSession {
        try await recover()
        sessionCount += 1
        let session = IslandSession(number: sessionCount, island: island.id, capabilities: hello.capabilities)
        sessions.removeValue(forKey: island.id)?.replace()
        let (id, capabilities, now) = (island.id, hello.capabilities.json.text, surroundings.now())
        session.isDrained = try await database.write { writer in
            try writer.noteIslandSeen(id: id, capabilities: capabilities, at: now.milliseconds)
            return try writer.island(id: id)?.drained ?? true
        }
        let resume = try await resumptions(island.id, known: Set(hello.attempts), now)
        // No wait from here on.
        if let newer = sessions[island.id], newer.number > session.number {
            session.replace()
            return session
        }
        session.held = Set(leases.values.filter { $0.island == island.id }.map(\.attempt))
        session.send(.welcome(island: island.id, resume: resume.filter { leases[$0.attempt.job]?.attempt == $0.attempt }))
        sessions[island.id]?.replace()
        sessions[island.id] = session
        bus.signal(Topics.placement)
        return session
    }

    /// The attempts that a returning Island goes on with; those that it no longer knows are lost.
    private func resumptions(_ island: String, known: Set<AttemptID>, _ now: Timestamp) async throws -> [CoordinatorMessage.Resumption] {
        var resume: [CoordinatorMessage.Resumption] = []
        for lease in leases.values where lease.island == island {
            if known.contains(lease.attempt), let row = try await database.read({ try $0.job(id: lease.attempt.job) }) {
                resume.append(.init(attempt: lease.attempt, storedUpTo: row.storedUpTo))
                if leases[lease.attempt.job]?.attempt == lease.attempt { leases[lease.attempt.job]?.until = now + LeaseTerms.length }
            } else {
                let failure = JobFailure(fault: .island, code: "island_restarted", message: "The Island restarted and lost the job.")
                try await end(lease.attempt, island: island, .failed(failure))
            }
        }
        return resume
    }

    /// Removes a connection; its leases live on until they end or the Island comes back.
    func close(_ session: IslandSession) {
        if sessions[session.island] === session { sessions[session.island] = nil }
    }

    /// The Islands that are connected.
    public var connectedIslandIDs: Set<String> { Set(sessions.keys) }

    /// Gives an Island no new jobs; those it holds go on.
    public func drain(island: String) { sessions[island]?.isDrained = true }

    /// Ends the lease of an attempt that is over.
    func release(_ attempt: AttemptID) {
        if leases[attempt.job]?.attempt == attempt { leases[attempt.job] = nil }
        for session in sessions.values { session.held.remove(attempt) }
        bus.signal(Topics.placement)
    }
}

extension JobRequirements {
    /// What a published version needs; `nil` for a row that no code of ours writes.
    init?(_ cargo: Submission) {
        guard let runtime = cargo.fields.runtimeType.flatMap(RuntimeType.init), let level = cargo.trustLevel else { return nil }
        self.init(
            runtime: runtime, level: level, cores: cargo.fields.requiredCPUCores ?? SubmissionDefaults.requiredCPUCores,
            memoryMegabytes: cargo.fields.requiredRAMMegabytes ?? SubmissionDefaults.requiredRAMMegabytes,
            vramMegabytes: cargo.fields.requiredVRAMMegabytes ?? SubmissionDefaults.requiredVRAMMegabytes,
            platforms: Set(cargo.row.platforms.split(separator: " ").map(String.init)))
    }
}
