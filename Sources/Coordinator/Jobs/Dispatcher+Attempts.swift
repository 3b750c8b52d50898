import Domain
import Fabric
import IslandLink
import JSON
import Storage

/// What an Island says of an attempt and when it came; what the Island is paid for goes by the latter.
struct ReceivedMessage: Sendable {
    let attempt: AttemptID
    let message: IslandMessage
    let at: Timestamp
}

extension Dispatcher {
    /// Takes messages of a connected Island in their order; all that they change is stored in one commit.
    ///
    /// What follows from them is done after that, and for two gatherings in any order: it goes by what is stored.
    ///
    /// - Throws: ``LinkError`` when the Island breaks the link's rules; its connection is then closed. What it said before that stands.
    func receive(_ gathering: Gathering, from session: IslandSession) async throws {
        do {
            try await take(from: session) { gathering.all() }
        } catch is LinkError {
            for received in gathering.all() { try await take(from: session) { [received] } }
        }
    }

    private func take(from session: IslandSession, _ messages: @escaping @Sendable () -> [ReceivedMessage]) async throws {
        let (island, rules) = (session.island, rules)
        let taken = try await database.write { writer in
            try AttemptStep.steps(messages()).map { try $0.take(from: island, rules, in: writer) }
        }
        for one in taken { follow(one, session) }
    }

    /// Does what follows from stored messages.
    private func follow(_ taken: AttemptStep.Taken, _ session: IslandSession) {
        let (attempt, island) = (taken.attempt, session.island)
        if isLeased(attempt, to: island) {
            leases[attempt.job]?.isDelivered = true
            if let startedAt = taken.startedAt {
                leases[attempt.job]?.overdueAt = startedAt + .milliseconds(taken.timeoutMilliseconds) + Self.finishingMax
            }
            if taken.hasMoved { leases[attempt.job]?.paidUntil = taken.paidUntil }
        }
        if let upTo = taken.storedUpTo {
            crashPoints?.reach(.beforeConfirm)
            session.send(.stored(attempt, upTo: upTo))
        }
        if taken.isCancelled { session.send(.cancel(attempt)) }
        if taken.isOver {
            noteKarma(taken.karma, of: island)
            release(attempt, island: island)
            if taken.hasMoved { bus.signal(Topics.placement) }
        }
        if taken.hasMoved { bus.signal(Topics.job(attempt.job), news: taken.news) }
        if taken.isSettled {
            crashPoints?.reach(.beforeSettled)
            session.send(.settled(attempt))
        }
    }

    /// Takes note that an assignment was sent: its lease begins now, however much stood before it.
    func noteSent(_ attempt: AttemptID, _ session: IslandSession) {
        guard isLeased(attempt, to: session.island) else { return }
        leases[attempt.job]?.isDelivered = true
        leases[attempt.job]?.until = surroundings.now() + LeaseTerms.length
    }

    /// Takes note that an Island still has some attempts; it must end those that are not its own any more.
    func renew(_ attempts: [AttemptID], _ session: IslandSession) {
        let until = surroundings.now() + LeaseTerms.length
        for attempt in attempts {
            if isLeased(attempt, to: session.island) {
                leases[attempt.job]?.until = until
                leases[attempt.job]?.isDelivered = true
            } else {
                session.send(.cancel(attempt))
            }
        }
    }

    /// Ends a job whose meter has reached what is held for it.
    func stopUnpaid(_ attempt: AttemptID, island: String) async throws {
        try await end(attempt, island: island, .holdReached)
        sessions[island]?.send(.cancel(attempt))
    }

    /// Ends jobs of versions of which something was taken back, and tells every connected Island to admit none of their images.
    func withdraw(_ submissions: [Submission], _ what: JobWithdrawal) async throws {
        if submissions.isEmpty { return }
        try await recover()
        let digests = submissions.compactMap(\.row.imageDigest)
        for session in sessions.values { session.send(.revoked(digests)) }
        let ids = Set(submissions.map(\.row.id))
        let open = try await database.read { reader in
            try reader.openJobs(inStates: what.states.map(\.rawValue), ofVersions: ids).filter(what.ends).map(\.id)
        }
        try await withdraw(jobs: open, what)
    }

    /// Ends what is left of revoked images and signatures: a revocation stands from the moment that it is on disk, whatever then happened to this
    /// process.
    func endRevokedJobs() async throws {
        let (ofImages, ofSignatures) = try await database.read { reader in
            (try reader.openJobsOfRevokedImages(), try reader.openJobsOfRevokedSignatures(from: TrustLevel.verified.rawValue))
        }
        try await withdraw(jobs: ofImages, .image)
        try await withdraw(jobs: ofSignatures, .signature)
    }

    private func withdraw(jobs: [String], _ what: JobWithdrawal) async throws {
        var left = jobs[...]
        while !left.isEmpty {
            try await withdrawAtOnce(Array(left.prefix(Self.withdrawnAtOnceMax)), what)
            left = left.dropFirst(Self.withdrawnAtOnceMax)
        }
    }

    /// Jobs that one transaction ends. Chosen: others wait some tens of milliseconds for it.
    private static let withdrawnAtOnceMax = 100

    private func withdrawAtOnce(_ jobs: [String], _ what: JobWithdrawal) async throws {
        let (now, rules) = (surroundings.now(), rules)
        // What was placed, or ended, since it was read is seen here as it is.
        let ended = try await database.write { writer in
            try jobs.compactMap { id -> JobRow? in
                guard var change = try JobChange(id, rules, in: writer), what.ends(change.row) else { return nil }
                guard try change.withdraw(what.failure, at: now) else { return nil }
                try change.save()
                return change.row
            }
        }
        for row in ended {
            waitsNoMore(row.id)
            if let island = row.islandID {
                let attempt = AttemptID(job: row.id, number: row.attempt)
                release(attempt, island: island)
                sessions[island]?.send(.cancel(attempt))
            }
            bus.signal(Topics.job(row.id))
        }
        bus.signal(Topics.placement)
    }

    /// Ends an attempt that its Island did not end: the job is over, or waits for another Island.
    func end(_ attempt: AttemptID, island: String, _ failure: JobFailure) async throws {
        let (now, rules) = (surroundings.now(), rules)
        let karma = try await database.write { writer -> Int? in
            guard var change = try JobChange(attempt.job, rules, in: writer) else { return nil }
            try change.fail(failure, attempt: attempt.number, on: island, at: now)
            try change.save()
            return change.karma
        }
        noteKarma(karma, of: island)
        release(attempt, island: island)
        bus.signal(Topics.placement)
        bus.signal(Topics.job(attempt.job))
    }

    /// Cancels a job in any state that is not terminal; its Island is told to end it.
    ///
    /// - Throws: `not_found`; `conflict` (`state_conflict`) when the job is over.
    public func cancel(_ id: String, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        // Before that, times of an earlier process are not yet this one's.
        try await recover()
        let (now, rules) = (surroundings.now(), rules)
        let job = try await database.write { writer -> Job in
            let job = try Jobs.find(id, for: principal, in: writer)
            var change = try JobChange(job.row, rules, in: writer)
            guard try change.cancel(at: now) else {
                throw ServiceError(
                    .conflict, code: "state_conflict", "Job \(id) is already \(job.state.rawValue).", context: ["state": .string(job.state.rawValue)])
            }
            try change.save()
            return try Job(row: change.row, slug: job.slug, version: job.version)
        }
        waitsNoMore(id)
        if job.row.attempt > 0, let island = job.row.islandID {
            let attempt = AttemptID(job: id, number: job.row.attempt)
            sessions[island]?.send(.cancel(attempt))
            release(attempt, island: island)
        }
        bus.signal(Topics.job(id))
        return job
    }
}

/// Messages about one attempt, in their order.
struct AttemptStep: Sendable {
    let attempt: AttemptID
    var messages: [ReceivedMessage]

    /// What became of them.
    struct Taken: Sendable {
        let attempt: AttemptID
        /// Whether the job changed.
        var hasMoved = false
        /// What came to its transcript; `nil` for nothing, or more than is handed on.
        var news: TranscriptNews?
        /// When its Cargo began, if it did now.
        var startedAt: Timestamp?
        var timeoutMilliseconds = 0
        /// When the meter reaches what is held, if no more tokens come.
        var paidUntil: Timestamp?
        /// The newest frame that is stored, if there were frames.
        var storedUpTo: Int?
        /// Whether the Island must end it: the attempt is not the current one, or nobody pays for more.
        var isCancelled = false
        /// Whether the Island has nothing more to do with it.
        var isOver = false
        /// Whether the Island may forget it.
        var isSettled = false
        var karma: Int?
    }

    /// Messages by their attempts, which need not wait for each other.
    ///
    /// - Throws: ``LinkError`` for what an Island may not say.
    static func steps(_ messages: [ReceivedMessage]) throws -> [AttemptStep] {
        var steps: [AttemptStep] = []
        var places: [AttemptID: Int] = [:]
        for received in messages {
            if case .finished(let end) = received.message, end.failure?.fault == .platform || end.failure?.fault == .consumer {
                throw LinkError("/failure/fault is not an Island's to say")
            }
            if let place = places[received.attempt] {
                steps[place].messages.append(received)
            } else {
                places[received.attempt] = steps.count
                steps.append(AttemptStep(attempt: received.attempt, messages: [received]))
            }
        }
        return steps
    }

    /// What the messages change, inside the transaction that stores it.
    func take(from island: String, _ rules: JobChange.Rules, in writer: any SQLWriter) throws -> Taken {
        var taken = Taken(attempt: attempt)
        guard var change = try JobChange(attempt.job, rules, in: writer) else {
            // Deleted since: there is nothing to keep.
            taken.isSettled = messages.contains { if case .finished = $0.message { true } else { false } }
            (taken.isOver, taken.isCancelled) = (taken.isSettled, !taken.isSettled)
            return taken
        }
        for received in messages { try take(received, from: island, &change, &taken) }
        try change.save()
        taken.hasMoved = change.isChanged
        taken.news = change.news
        taken.karma = change.karma
        taken.timeoutMilliseconds = change.row.timeoutMilliseconds
        if taken.hasMoved { taken.paidUntil = change.row.paidUntil(try change.terms()) }
        return taken
    }

    private func take(_ received: ReceivedMessage, from island: String, _ change: inout JobChange, _ taken: inout Taken) throws {
        let (number, now) = (attempt.number, received.at)
        switch received.message {
        case .hello, .heartbeat: return
        case .started:
            // Said again after a reconnect: it was heard the first time.
            if change.isRunning(number, on: island) { return }
            if change.start(attempt: number, on: island, at: now) { taken.startedAt = now } else { taken.isCancelled = true }
        case .frames(_, let first, let frames):
            guard change.isRunning(number, on: island) else {
                taken.isCancelled = true
                return try change.keepLate("frames \(first) to \(first + frames.count - 1)", of: number, from: island, at: now)
            }
            let isPaid = try change.store(frames, from: first, at: now)
            taken.storedUpTo = change.row.storedUpTo
            if isPaid { return }
            try change.fail(.holdReached, attempt: number, on: island, at: now)
            (taken.isOver, taken.isCancelled) = (true, true)
        case .finished(let end):
            if let failure = end.failure {
                try change.noteRefusal(failure, attempt: number, on: island, at: now)
                try change.fail(failure, attempt: number, on: island, runMilliseconds: end.runMilliseconds, at: now)
            } else {
                try change.complete(end, on: island, at: now)
            }
            (taken.isOver, taken.isSettled) = (true, true)
        }
    }
}

extension JobFailure {
    /// Why a job ends whose meter has reached what is held for it.
    fileprivate static let holdReached = JobFailure(
        fault: .consumer, code: JobCharge.holdReachedCode, message: "The job used all the credits that were set aside for it; allow it more.")
}

extension JobWithdrawal {
    fileprivate func ends(_ row: JobRow) -> Bool {
        JobState(rawValue: row.state).map { ends($0, placedAt: row.level.flatMap(TrustLevel.init)) } ?? false
    }
}
