import Domain
import Fabric
import IslandLink
public import JSON
import Storage

/// A published version as placement needs it.
struct PlaceableCargo: Sendable, Hashable {
    let slug: String
    /// The full image reference.
    let image: String
    let digest: String
    /// What its jobs need, without what the Consumer adds.
    let requirements: JobRequirements

    /// `nil` for a row that no code of ours writes.
    init?(_ cargo: Submission) {
        guard let requirements = JobRequirements(cargo) else { return nil }
        slug = cargo.slug
        image = cargo.fields.containerImage ?? ""
        digest = cargo.row.imageDigest ?? ""
        self.requirements = requirements
    }
}

extension Dispatcher {
    /// Chosen: jobs that one commit gives to Islands; more wait for the next one.
    private static let placementBatch = 256
    /// Chosen: jobs that one read takes from the queue.
    private static let queueBatch = 4096
    /// Bytes of inputs from which on one commit reads no more of them. Chosen: four of the largest; 256 usual ones are far from it.
    private static let inputBytesMax = 16 << 20
    /// Chosen: what is kept for so many jobs that are gone takes no room that matters.
    private static let goneMax = 64

    /// A job and the Island that it is about to be given to.
    private struct Plan: Sendable {
        let row: QueuedJobRow
        let attempt: AttemptID
        let cargo: PlaceableCargo
        let decision: PlacementDecision
    }

    /// What an Island is told of a job that was given to it, beside the plan.
    private struct Placed: Sendable {
        let timeoutMilliseconds: Int
        /// JSON text; `nil` to read it when its turn to be sent comes.
        let input: String?
        let signers: [CoordinatorMessage.Signer]
        let news: TranscriptNews?
    }

    func placeWhenSignalled() async throws {
        let signals = bus.signals(on: Topics.placement)
        try await placeAll()
        for await _ in signals { try await placeAll() }
    }

    /// Begins anew with what the database says of the queue.
    private func forgetQueue() {
        waiting = FairQueue()
        waitingRows = [:]
        queueReadUpTo = 0
        forgetKinds()
    }

    private func placeAll() async throws {
        while true {
            try await readQueue()
            let plans = plan()
            tidyUp()
            if plans.isEmpty { return }
            try await carryOut(plans)
        }
    }

    /// Takes note that a job ended, which may have waited.
    func waitsNoMore(_ job: String) {
        waitingRows[job] = nil
        endedWhileRead?.insert(job)
    }

    /// Takes over what came to the queue.
    private func readQueue() async throws {
        defer { endedWhileRead = nil }
        while true {
            endedWhileRead = []
            let (from, known) = (queueReadUpTo, Set(cargos.keys))
            let (rows, found) = try await database.read { reader in
                let rows = try reader.queuedJobs(after: from, limit: Self.queueBatch)
                let new = Set(rows.map(\.submissionID)).subtracting(known)
                return (rows, try new.map { ($0, PlaceableCargo(try Submission.find($0, in: reader))) })
            }
            for (id, cargo) in found { cargos[id] = cargo }
            for row in rows where endedWhileRead?.contains(row.jobID) != true { standInLine(row) }
            guard let last = rows.last else { return }
            queueReadUpTo = last.number
            if rows.count < Self.queueBatch { return }
        }
    }

    /// Lets a job stand in line.
    private func standInLine(_ row: QueuedJobRow) {
        guard let cargo = cargos[row.submissionID] else { return }
        waitingRows[row.jobID] = row
        waiting.add(
            .init(
                number: row.number, job: row.jobID, consumer: row.consumerID, priority: row.priority,
                kind: kind(of: cargo.requirements.within(regions: row.regions), first: row.number)))
    }

    /// - Parameter number: the job's in the queue, which no other job has or had: a new kind is numbered by its first job.
    private func kind(of wanted: JobRequirements, first number: Int) -> Int {
        if let known = kinds[wanted] { return known }
        kinds[wanted] = number
        requirements[number] = wanted
        return number
    }

    /// Chooses Islands for as many waiting jobs as there is room for.
    private func plan() -> [Plan] {
        var plans: [Plan] = []
        var left: Set<Int> = []
        waiting.take(upTo: Self.placementBatch) { job in
            guard let row = waitingRows[job.job], let cargo = cargos[row.submissionID], let wanted = requirements[job.kind] else {
                left.insert(job.kind)
                return .gone
            }
            let failed = Set(row.failedIslands.split(separator: " ").map(String.init))
            guard let decision = islands.choose(for: wanted, image: cargo.digest, avoiding: failed, using: &random) else { return .unplaceable }
            waitingRows[job.job] = nil
            left.insert(job.kind)
            let attempt = AttemptID(job: job.job, number: row.attempt + 1)
            reserve(attempt, island: decision.island)
            plans.append(Plan(row: row, attempt: attempt, cargo: cargo, decision: decision))
            return .placed
        }
        forgetKinds(among: left)
        return plans
    }

    /// Lets go of what belongs to jobs that wait no more, once it is more than belongs to those that wait: so it is bounded by these, and each look
    /// through all of it is paid for by as many jobs that left since the one before.
    private func tidyUp() {
        if waiting.count == 0 { return forgetKinds() }
        let most = 2 * waitingRows.count + Self.goneMax
        if waiting.count > most {
            waiting.remove { waitingRows[$0.job] == nil }
            forgetKinds(among: Array(requirements.keys))
        }
        if cargos.count > most {
            let used = Set(waitingRows.values.map(\.submissionID))
            cargos = cargos.filter { used.contains($0.key) }
        }
    }

    /// Lets go of those of some kinds of which no job waits.
    private func forgetKinds(among left: some Sequence<Int>) {
        for kind in left where waiting.count(ofKind: kind) == 0 {
            if let wanted = requirements.removeValue(forKey: kind) { kinds[wanted] = nil }
        }
    }

    /// What nothing waits for is looked up anew when something does.
    private func forgetKinds() {
        cargos = [:]
        kinds = [:]
        requirements = [:]
    }

    /// Writes the attempts down, all in one commit, and sends them on their way.
    private func carryOut(_ plans: [Plan]) async throws {
        let connected = sessions.count
        let placed: [Placed?]
        do {
            placed = try await database.write { [rules] writer in
                try Self.requireLevels(of: plans, in: writer)
                var inputBytes = 0
                return try plans.map { plan in
                    let placed = try Self.place(plan, connected, rules, withInput: inputBytes < Self.inputBytesMax, in: writer)
                    inputBytes += placed?.input?.utf8.count ?? 0
                    return placed
                }
            }
        } catch {
            // Nothing of it is stored, and nothing may be lost of it here either.
            for plan in plans { release(plan.attempt, island: plan.decision.island) }
            forgetQueue()
            guard let moved = error as? LevelMoved else { throw error }
            for id in moved.submissionIDs { rules.terms.forget(id) }
            return
        }
        crashPoints?.reach(.beforeAssign)
        let now = surroundings.now()
        var given: [(plan: Plan, placed: Placed)] = []
        for (plan, placed) in zip(plans, placed) {
            let island = plan.decision.island
            // It was cancelled while it waited, or since: the latter has given its place back.
            guard let placed, holdings[island]?.contains(plan.attempt) == true else {
                release(plan.attempt, island: island)
                continue
            }
            // All of them before anything can fail: a lease gives a job back that never reaches its Island.
            leases[plan.attempt.job] = Lease(
                attempt: plan.attempt, island: island, until: now + LeaseTerms.length,
                overdueAt: now + .milliseconds(placed.timeoutMilliseconds) + Self.preparationMax)
            given.append((plan, placed))
        }
        // One that fails keeps none of the others from their Islands.
        var failure: (any Error)?
        for (plan, placed) in given {
            do { try await assign(plan, placed) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Who may have signed a version of a level that demands a signature: its publisher's identities of this moment.
    private static func signers(of plan: Plan, _ rules: JobChange.Rules, in reader: any SQLReader) throws -> [CoordinatorMessage.Signer] {
        guard plan.cargo.requirements.level.requiresSignature else { return [] }
        let terms = try rules.terms.terms(of: plan.row.submissionID, in: reader)
        return try reader.activeSigningIdentities(accountID: terms.publisherID).compactMap { row in
            if let key = row.publicKey { return .key(key) }
            guard let issuer = row.issuer, let identity = row.identity else { return nil }
            return .identity(identity, issuer: issuer)
        }
    }

    /// Versions were given another trust level since they were looked up; their jobs are planned anew.
    private struct LevelMoved: Error {
        let submissionIDs: [Int]
    }

    private static func requireLevels(of plans: [Plan], in reader: any SQLReader) throws {
        let planned = Dictionary(plans.map { ($0.row.submissionID, $0.cargo.requirements.level.rawValue) }) { $1 }
        let levels = try reader.trustLevels(of: planned.keys)
        let moved = planned.filter { levels[$0.key] != $0.value }.keys
        guard moved.isEmpty else { throw LevelMoved(submissionIDs: Array(moved)) }
    }

    private func assign(_ plan: Plan, _ placed: Placed) async throws {
        let island = plan.decision.island
        bus.signal(Topics.job(plan.attempt.job), news: placed.news)
        guard let session = sessions[island] else {
            let failure = JobFailure(fault: .platform, code: "link_lost", message: "The Island left before the job reached it.")
            return try await end(plan.attempt, island: island, failure)
        }
        // Taken back while another plan was waited for.
        guard holdings[island]?.contains(plan.attempt) == true else { return }
        islands.note(image: plan.cargo.digest, on: island)
        session.send(
            .assign(
                .init(
                    attempt: plan.attempt, slug: plan.cargo.slug, runtime: plan.cargo.requirements.runtime, image: plan.cargo.image,
                    digest: plan.cargo.digest, level: plan.cargo.requirements.level, timeoutMilliseconds: placed.timeoutMilliseconds, input: [:],
                    signers: placed.signers)), input: placed.input)
    }

    /// A message as it goes over the link; `nil` for an assignment that is nobody's to run any more.
    nonisolated func text(of outgoing: IslandSession.Outgoing) async throws -> String? {
        guard case .assign(let assignment) = outgoing.message else { return outgoing.message.text }
        if let input = outgoing.input { return assignment.text(withInput: input) }
        let (id, attempt) = (assignment.attempt.job, assignment.attempt.number)
        // Whoever ended the attempt meanwhile has told the Island, or is about to. The input of a job that is over may have been erased.
        guard let row = try await database.read({ try $0.job(id: id) }), row.attempt == attempt, row.state == JobState.queued.rawValue else {
            return nil
        }
        return assignment.text(withInput: row.input)
    }

    /// - Parameter withInput: whether to read the input, which its Island gets, with the job.
    private static func place(
        _ plan: Plan, _ connected: Int, _ rules: JobChange.Rules, withInput: Bool, in writer: any SQLWriter
    ) throws -> Placed? {
        guard let row = try writer.job(id: plan.attempt.job, withInput: withInput) else { return nil }
        var change = try JobChange(row, rules, in: writer)
        let placement = plan.decision.json(connected: connected).text
        let level = plan.cargo.requirements.level
        guard try change.place(attempt: plan.attempt.number, on: plan.decision.island, at: level, placement: placement) else { return nil }
        try change.save()
        return Placed(
            timeoutMilliseconds: row.timeoutMilliseconds, input: withInput ? row.input : nil, signers: try signers(of: plan, rules, in: writer),
            news: change.news)
    }

    // MARK: Explaining

    /// Why a job is where it is: the decision that gave it to its Island, or what keeps it from each connected Island now.
    ///
    /// - Throws: `not_found`.
    public func explain(_ id: String, for principal: Principal) async throws -> JSONObject {
        try principal.require(.read)
        let (job, cargo) = try await database.read { reader in
            let job = try Jobs.find(id, for: principal, in: reader)
            return (job, PlaceableCargo(try Submission.find(job.row.submissionID, in: reader)))
        }
        var answer: JSONObject = ["job_id": .string(id), "status": .string(job.state.rawValue), "attempt": .int(job.row.attempt)]
        answer["failed_islands"] = .array(job.row.failedIslands.split(separator: " ").map { .string(String($0)) })
        answer["decision"] = try job.row.placement.map { try JSONValue(parsing: $0) } ?? .null
        guard job.state == .pending, let cargo else { return answer }
        let obstacles = islands.obstacles(to: cargo.requirements.within(regions: job.row.regions))
        let fitting = islands.count - obstacles.values.reduce(0, +)
        answer["waiting"] = [
            "islands": .int(islands.count), "fitting": .int(fitting), "message": .string(Self.words(islands.count, fitting, obstacles)),
            "obstacles": .array(
                PlacementObstacle.allCases.compactMap { obstacle in
                    obstacles[obstacle].map { ["reason": .string(obstacle.rawValue), "islands": .int($0), "remedy": .string(obstacle.remedy)] }
                }),
        ]
        return answer
    }

    private static func words(_ count: Int, _ fitting: Int, _ obstacles: [PlacementObstacle: Int]) -> String {
        if count == 0 { return "No Island is connected." }
        if fitting > 0 { return "The job is about to be given to one of \(fitting) Islands." }
        if (obstacles[.full] ?? 0) > 0 { return "Every Island that could take the job is busy." }
        return "No connected Island can take the job."
    }
}

extension JobRequirements {
    /// What a published version needs; `nil` for a row that no code of ours writes.
    init?(_ cargo: Submission) {
        guard let runtime = cargo.fields.runtimeType.flatMap(RuntimeType.init), let level = cargo.trustLevel else { return nil }
        let image = cargo.fields.containerImage ?? ""
        // A tag has no slash in it; a port has.
        let name = image.lastIndex(of: ":").map { image[$0...].contains("/") ? image : String(image[..<$0]) } ?? image
        self.init(
            runtime: runtime, level: level, cores: cargo.fields.requiredCPUCores ?? SubmissionDefaults.requiredCPUCores,
            memoryMegabytes: cargo.fields.requiredRAMMegabytes ?? SubmissionDefaults.requiredRAMMegabytes,
            vramMegabytes: cargo.fields.requiredVRAMMegabytes ?? SubmissionDefaults.requiredVRAMMegabytes,
            platforms: Set(cargo.row.platforms.split(separator: " ").map(String.init)), imageName: name)
    }

    /// The same for a job that its Consumer allows in some regions alone.
    ///
    /// - Parameter regions: parted by spaces; empty for all.
    func within(regions: String) -> JobRequirements {
        guard !regions.isEmpty else { return self }
        return JobRequirements(
            runtime: runtime, level: level, cores: cores, memoryMegabytes: memoryMegabytes, vramMegabytes: vramMegabytes, platforms: platforms,
            imageName: imageName, regions: Set(regions.split(separator: " ").map(String.init)))
    }
}

extension PlacementDecision {
    /// The decision as it is stored with the job and shown to its Consumer.
    func json(connected: Int) -> JSONObject {
        [
            "island": .string(island), "connected": .int(connected), "fitting": .int(fitting),
            "candidates": .array(
                candidates.map { candidate in
                    [
                        "island": .string(candidate.island), "points": .int(candidate.score.points), "image": .int(candidate.score.image),
                        "room": .int(candidate.score.room), "karma": .int(candidate.score.karma), "nearness": .int(candidate.score.nearness),
                        "has_failed_this_job": .bool(candidate.hasFailedThisJob),
                    ]
                }),
        ]
    }
}
