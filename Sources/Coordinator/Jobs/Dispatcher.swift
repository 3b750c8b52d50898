import Domain
public import Fabric
import IslandLink
import JSON
public import Storage

/// Gives jobs to Islands, and takes what they bring.
///
/// The truth stands in the database: every step re-reads the job inside its transaction and asks ``JobLifecycle`` what an
/// event means, so a late or repeated message changes nothing. This actor holds only what lives as long as connections do:
/// who is connected, who waits, and when each lease ends.
public actor Dispatcher {
    let database: any Database
    let bus: any SignalBus
    let surroundings: Surroundings
    let rules: JobChange.Rules
    let crashPoints: CrashPoints?
    var sessions: [String: IslandSession] = [:]
    var leases: [String: Lease] = [:]
    private var sessionCount = 0
    private var isRecovered = false
    /// Islands that were drained, or not any more, since this process began: told while one connects, it would be lost.
    private var drained: [String: Bool] = [:]

    // MARK: What placement goes by

    /// The connected Islands.
    var islands = IslandPool()
    /// What each Island holds, connected or not: leases, and jobs on their way to it.
    var holdings: [String: Set<AttemptID>] = [:]
    /// Jobs that wait, as far as they were read from the database.
    var waiting = FairQueue()
    var waitingRows: [String: QueuedJobRow] = [:]
    var queueReadUpTo = 0
    /// Jobs that ended since a reading of the queue began, which may still say that they wait; `nil` while none is under way.
    var endedWhileRead: Set<String>?
    /// Versions whose jobs wait.
    var cargos: [Int: PlaceableCargo] = [:]
    /// Numbers for requirements, so that jobs that need the same are placed alike.
    var kinds: [JobRequirements: Int] = [:]
    var requirements: [Int: JobRequirements] = [:]
    var random: SeededRandom

    /// One attempt's hold on its job.
    struct Lease: Sendable {
        let attempt: AttemptID
        let island: String
        /// When the Island must have renewed it.
        var until: Timestamp
        /// When it must be over, however often it is renewed.
        var overdueAt: Timestamp
        /// When its meter reaches what is held for the job, if no more tokens come; `nil` while its Cargo has not started.
        var paidUntil: Timestamp?
        /// Whether it was sent to the Island, or the Island has named it; else nobody knows whether it has heard of it.
        var isDelivered = false
    }

    /// A dispatcher of a database; call ``run()`` once.
    ///
    /// - Parameters:
    ///   - platformFee: the platform's percent of each charge, `0...100`.
    ///   - crashPoints: for the crash harness.
    public init(
        database: any Database, bus: any SignalBus, surroundings: Surroundings, platformFee: Int = 0, crashPoints: CrashPoints? = nil
    ) {
        self.database = database
        self.crashPoints = crashPoints
        rules = JobChange.Rules(money: JobMoney(platformFee: platformFee), terms: JobTermsCache())
        self.bus = bus
        self.surroundings = surroundings
        random = SeededRandom(seed: surroundings.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// Chosen: an Island may need this long to fetch and unpack an image before the Cargo starts.
    static let preparationMax: Duration = .seconds(600)
    /// Chosen: what an Island gets beyond the Cargo's timeout for its end to reach the coordinator.
    static let finishingMax: Duration = .seconds(20)

    /// Works until the task is cancelled.
    public func run() async throws {
        try await throughOutages { try await self.recover() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.throughOutages { try await self.placeWhenSignalled() } }
            group.addTask { try await self.throughOutages { try await self.watchLeases() } }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Chosen: a full disk is not freed within this time, and a lock that was held is let go.
    private static let outagePause: Duration = .seconds(1)

    /// Does something again after each time in which the database could not be used.
    private func throughOutages(_ body: () async throws -> Void) async throws {
        while true {
            do {
                return try await body()
            } catch  where ServiceError(outage: error) != nil {
                try await surroundings.clock.sleep(for: Self.outagePause)
            }
        }
    }

    /// Takes over what a stopped process left: attempts under way get a lease's length to come back.
    func recover() async throws {
        guard !isRecovered else { return }
        let active = [JobState.queued, .running].map(\.rawValue)
        let begin = surroundings.now()
        let rows = try await database.write { [rules] writer in
            let seen = try writer.clockSeen()
            try writer.noteClock(at: begin.milliseconds)
            return try writer.openJobs(inStates: active).map { stored in
                var row = stored
                if let startedAt = row.startedAt, let seen {
                    let counted = Timestamp(milliseconds: max(startedAt, seen))
                    let gap = SteadyTime.unmetered(from: counted, to: begin, most: LeaseTerms.length).milliseconds
                    row.startedAt = startedAt + gap
                    if gap != 0 { try writer.moveStart(of: row.id, to: startedAt + gap) }
                }
                return (row, try row.paidUntil(rules.terms.terms(of: row.submissionID, in: writer)))
            }
        }
        guard !isRecovered else { return }
        isRecovered = true
        let now = surroundings.now()
        for (row, paidUntil) in rows {
            guard let island = row.islandID else { continue }
            let attempt = AttemptID(job: row.id, number: row.attempt)
            let left = Duration.milliseconds(row.timeoutMilliseconds) + Self.preparationMax
            leases[row.id] = Lease(
                attempt: attempt, island: island, until: now + LeaseTerms.length, overdueAt: now + left, paidUntil: paidUntil,
                isDelivered: row.state == JobState.running.rawValue)
            holdings[island, default: []].insert(attempt)
        }
    }

    // MARK: Sessions

    /// Adds a connected Island; an older connection of the same Island is closed.
    ///
    /// Nothing is placed on the Island between its hello and its welcome: it is among the sessions only at the very end, and no
    /// wait comes after the leases were read for the last time.
    func open(_ island: IslandRow, _ hello: IslandMessage.Hello) async throws -> IslandSession {
        try await recover()
        sessionCount += 1
        let session = IslandSession(number: sessionCount, island: island.id)
        leave(island.id)
        let (id, capabilities, now) = (island.id, hello.capabilities.json.text, surroundings.now())
        let row = try await database.write { writer -> IslandRow? in
            try writer.noteIslandSeen(id: id, capabilities: capabilities, at: now.milliseconds)
            try writer.recoverKarma(of: id, at: now)
            return try writer.island(id: id)
        }
        let resume = try await resumptions(island.id, known: Set(hello.attempts), now)
        // No wait from here on.
        if let newer = sessions[island.id], newer.number > session.number {
            session.replace()
            return session
        }
        session.send(.welcome(island: island.id, resume: resume.filter { leases[$0.attempt.job]?.attempt == $0.attempt }))
        leave(island.id)
        sessions[island.id] = session
        var entry = IslandPool.Island(island.id, hello.capabilities)
        entry.jobsHeld = holdings[island.id]?.count ?? 0
        entry.isDrained = drained[island.id] ?? row?.drained ?? true
        entry.karma = row?.karma ?? 0
        islands.put(entry, images: hello.images)
        bus.signal(Topics.placement)
        return session
    }

    /// The attempts that a returning Island goes on with; those that it no longer knows are lost.
    private func resumptions(_ island: String, known: Set<AttemptID>, _ now: Timestamp) async throws -> [CoordinatorMessage.Resumption] {
        var resume: [CoordinatorMessage.Resumption] = []
        for attempt in holdings[island] ?? [] {
            guard let lease = leases[attempt.job], lease.attempt == attempt, lease.island == island else { continue }
            if known.contains(lease.attempt), let row = try await database.read({ try $0.job(id: lease.attempt.job, withInput: false) }) {
                resume.append(.init(attempt: lease.attempt, storedUpTo: row.storedUpTo))
                if leases[lease.attempt.job]?.attempt == lease.attempt {
                    leases[lease.attempt.job]?.until = now + LeaseTerms.length
                    leases[lease.attempt.job]?.isDelivered = true
                }
            } else {
                try await end(lease.attempt, island: island, lease.isDelivered ? .islandRestarted : .neverArrived)
            }
        }
        return resume
    }

    /// Removes a connection; its leases live on until they end or the Island comes back.
    func close(_ session: IslandSession) async {
        guard sessions[session.island] === session else { return }
        leave(session.island)
        let (id, now) = (session.island, surroundings.now())
        // Only its owner looks at it; a database that is out for a moment must not keep the connection.
        try? await database.write { try $0.noteIslandSeen(id: id, at: now.milliseconds) }
    }

    /// Takes note of how far away an Island is.
    func note(_ roundTrip: Duration, of session: IslandSession) {
        guard sessions[session.island] === session else { return }
        islands.update(session.island) { $0.roundTripMilliseconds = roundTrip.milliseconds }
    }

    private func leave(_ island: String) {
        sessions.removeValue(forKey: island)?.replace()
        islands.remove(island)
    }

    /// The Islands that are connected.
    public var connectedIslandIDs: Set<String> { Set(sessions.keys) }

    /// Gives an Island no new jobs, or new ones again; those it holds go on.
    public func setDrained(_ isDrained: Bool, island: String) {
        drained[island] = isDrained
        islands.update(island) { $0.isDrained = isDrained }
        if !isDrained { bus.signal(Topics.placement) }
    }

    // MARK: Holdings

    /// Whether an attempt is the current one of its job, and the Island's.
    func isLeased(_ attempt: AttemptID, to island: String) -> Bool {
        leases[attempt.job].map { $0.attempt == attempt && $0.island == island } ?? false
    }

    /// Counts an attempt among those that an Island holds.
    func reserve(_ attempt: AttemptID, island: String) {
        holdings[island, default: []].insert(attempt)
        islands.update(island) { $0.jobsHeld = holdings[island]?.count ?? 0 }
    }

    /// Ends the lease that an Island has on an attempt that is over; another Island's word ends none.
    func release(_ attempt: AttemptID, island: String) {
        if isLeased(attempt, to: island) { leases[attempt.job] = nil }
        guard holdings[island]?.remove(attempt) != nil else { return }
        if holdings[island]?.isEmpty == true { holdings[island] = nil }
        islands.update(island) { $0.jobsHeld = holdings[island]?.count ?? 0 }
        bus.signal(Topics.placement)
    }
}

extension JobFailure {
    fileprivate static let islandRestarted = JobFailure(
        fault: .island, code: "island_restarted", message: "The Island restarted and lost the job.")
    /// It was not sent yet when the link or this process ended, or the link is too slow for what stands before it.
    static let neverArrived = JobFailure(fault: .platform, code: "link_lost", message: "The job did not reach the Island in time.")
}
