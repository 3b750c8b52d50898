import CargoIO
import Domain
import IslandLink
import JSON
import Storage

/// One job inside a transaction: events go in one after the other, and ``save()`` stores once what came of all of them.
///
/// What an event means is ``JobLifecycle``'s to say; here its consequences are written down: the row, the transcript, the queue, the
/// credits, the outcome and the Island's karma.
struct JobChange {
    /// What the rules of all jobs are made of.
    struct Rules: Sendable {
        let money: JobMoney
        let terms: JobTermsCache
    }

    private let rules: Rules
    private let writer: any SQLWriter
    private var transcript: Transcript
    private var lifecycle: JobLifecycle
    /// What is to be stored.
    private var extent = Extent.nothing
    private var knownIsland: IslandRow?
    /// The karma of the job's Island, where this changed it.
    private(set) var karma: Int?

    private enum Extent {
        case nothing
        /// Frames, the newest of which says how far it has come.
        case frames
        /// Everything that can change.
        case job
    }

    /// The job as it stands after the events so far; its input may be left out.
    var row: JobRow { transcript.job }

    /// A job of the database; `nil` for an unknown one.
    init?(_ id: String, _ rules: Rules, in writer: any SQLWriter) throws {
        guard let row = try writer.job(id: id, withInput: false) else { return nil }
        try self.init(row, rules, in: writer)
    }

    init(_ row: JobRow, _ rules: Rules, in writer: any SQLWriter) throws {
        self.rules = rules
        self.writer = writer
        transcript = Transcript(row)
        lifecycle = try row.lifecycle()
    }

    /// Whether anything came of the events.
    var isChanged: Bool { extent != .nothing }

    /// Stores the job and what came to its transcript.
    func save() throws {
        switch extent {
        case .nothing: return
        case .frames: break
        case .job: if row.completedAt == nil { try writer.updateOpen(row) } else { try writer.update(row) }
        }
        try writer.insert(transcript.rows, of: row)
    }

    /// What came to the transcript; `nil` for nothing, or more than is handed on.
    var news: TranscriptNews? {
        transcript.rows.isEmpty ? nil : TranscriptNews(transcript.rows, isTerminal: lifecycle.state.isTerminal)
    }

    func terms() throws -> JobTerms { try rules.terms.terms(of: row.submissionID, in: writer) }

    /// Whether an attempt of an Island is the current one and its Cargo runs.
    func isRunning(_ attempt: Int, on island: String) -> Bool {
        row.islandID == island && lifecycle.attempt == attempt && lifecycle.state == .running
    }

    /// Gives the job to an Island; `false` if it does not wait for that attempt any more.
    ///
    /// - Parameters:
    ///   - level: whose sandbox and limits the Island uses, whatever level the version has later.
    ///   - placement: why this Island, as JSON text.
    mutating func place(attempt: Int, on island: String, at level: TrustLevel, placement: String) throws -> Bool {
        var next = lifecycle
        guard next.placed() == .moved, next.attempt == attempt else { return false }
        move(to: next)
        transcript.job.islandID = island
        (transcript.job.storedUpTo, transcript.job.frameBytes, transcript.job.tokens, transcript.job.startedAt) = (0, 0, 0, nil)
        transcript.job.level = level.rawValue
        transcript.job.placement = placement
        transcript.append(status: attempt == 1 ? "queued" : "restarted")
        try writer.dequeue(jobID: row.id)
        return true
    }

    /// The Cargo of an attempt runs; `false` if that attempt was not waited for.
    mutating func start(attempt: Int, on island: String, at now: Timestamp) -> Bool {
        guard row.islandID == island, lifecycle.started(attempt: attempt) == .moved else { return false }
        move(to: lifecycle)
        transcript.job.startedAt = now.milliseconds
        transcript.append(status: "running")
        return true
    }

    /// Takes frames of the running attempt, numbered on from `first`; repeated ones are dropped by their number.
    ///
    /// - Returns: `false` once the meter reaches what is held for the job: what nobody pays for is not delivered.
    /// - Throws: ``LinkError`` for frames that an Island may not send.
    mutating func store(_ frames: [JSONObject], from first: Int, at now: Timestamp) throws -> Bool {
        guard first <= row.storedUpTo + 1 else {
            throw LinkError("frame \(first) of job \(row.id) came before frame \(row.storedUpTo + 1)")
        }
        let terms = try terms()
        for object in frames.dropFirst(row.storedUpTo + 1 - first) {
            let frame = try checked(object, terms)
            guard !frame.isTerminal else { throw LinkError("the terminal frame belongs into 'finished'") }
            let tokens = row.tokens + (frame.type == Frame.KnownType.token.rawValue ? 1 : 0)
            if JobCharge.isHoldReached(prices: terms.prices, tokens: tokens, runTime: row.runTime(at: now) ?? .zero, held: row.held) { return false }
            transcript.job.frameBytes += frame.bytes.count
            transcript.job.storedUpTo += 1
            transcript.append(frame)
            if extent == .nothing { extent = .frames }
        }
        return true
    }

    /// The limits that the Island of the current attempt keeps to: those of the level at which it got the job.
    private func limits(_ terms: JobTerms) -> LevelLimits { row.level.flatMap(TrustLevel.init)?.limits ?? terms.limits }

    /// Checks a frame as strictly as the Island has to: an Island is a stranger too.
    private func checked(_ object: JSONObject, _ terms: JobTerms) throws -> Frame {
        let bytes = object.bytes
        let limits = limits(terms)
        guard bytes.count <= limits.frameBytesMax, row.frameBytes + bytes.count <= limits.transcriptBytesMax else {
            throw LinkError("a frame or transcript is longer than its trust level allows")
        }
        guard !JSONValue.object(object).isDeeper(than: TranscriptLimits.frameDepthMax) else { throw LinkError("a frame is nested too deeply") }
        do {
            return try Frame(object, bytes: bytes)
        } catch {
            throw LinkError("a frame breaks the I/O protocol: \(error.message)")
        }
    }

    /// The current attempt ended well.
    ///
    /// - Throws: ``LinkError`` when the Island's word does not fit what it sent.
    mutating func complete(_ end: IslandMessage.Finished, on island: String, at now: Timestamp) throws {
        guard let done = end.done, done["type"]?.string == "done" else { throw LinkError("/done must be a frame of type done") }
        let seen = row.runTime(at: now)
        var next = lifecycle
        guard row.islandID == island, case .finished = next.ended(attempt: end.attempt.number, .completed) else {
            return try keepLate("done", of: end.attempt.number, from: island, at: now)
        }
        guard row.storedUpTo == end.frames else {
            throw LinkError("\(end.attempt) ended after \(end.frames) frames, of which \(row.storedUpTo) came")
        }
        _ = try checked(done, terms())
        move(to: next)
        transcript.job.complete(at: now)
        // An Island is paid for time, so its own word counts only up to what was seen from here.
        transcript.job.runMilliseconds = min(end.runMilliseconds, seen?.milliseconds ?? 0)
        try settle(.completed, runTime: .milliseconds(row.runMilliseconds ?? 0), at: now)
        try writer.addJobOutcome(workloadID: row.workloadID, succeeded: true)
        try writer.insertOutcome(of: row, succeeded: true, fault: nil, code: nil)
        transcript.appendDone(done)
        guard let islandRow = try islandRow() else { return }
        karma = try writer.addWork(of: islandRow, milliseconds: row.runMilliseconds ?? 0, job: row.id, at: now)
    }

    /// An attempt ended otherwise: the job is over, or waits for another Island.
    ///
    /// - Parameter runMilliseconds: what the Island says of its time; `nil` if it says nothing.
    mutating func fail(_ failure: JobFailure, attempt: Int, on island: String, runMilliseconds: Int? = nil, at now: Timestamp) throws {
        var next = lifecycle
        let decision = row.islandID == island ? next.ended(attempt: attempt, .failed(failure)) : .ignoredLate
        switch decision {
        case .ignoredLate, .moved: return try keepLate("failed: \(failure.code)", of: attempt, from: island, at: now)
        case .retry:
            move(to: next)
            transcript.job.failedIslands += (row.failedIslands.isEmpty ? "" : " ") + island
            try writer.enqueue(row)
        case .finished(let cause):
            let ran = row.runTime(at: now)
            move(to: next)
            transcript.job.runMilliseconds = runMilliseconds ?? ran?.milliseconds
            try close(cause, ran: ran, at: now)
        }
        karma = try writer.punish(island, for: failure, job: row.id, at: now)
    }

    /// Puts into the audit log that an Island refused the signature of the version that it was to run, or the image; to be called before the attempt
    /// ends.
    ///
    /// Either what is in the registry was tampered with, or the Island believes another root, or it lies: people have to look.
    func noteRefusal(_ failure: JobFailure, attempt: Int, on island: String, at now: Timestamp) throws {
        let kind = KarmaRule.signatureRefusals.contains(failure.code) ? "signature" : KarmaRule.imageRefusals.contains(failure.code) ? "image" : nil
        guard let kind, row.islandID == island, lifecycle.attempt == attempt else { return }
        let event: JSONObject = [
            "job": .string(row.id), "attempt": .int(attempt), "code": .string(failure.code), "message": .string(failure.message),
        ]
        try writer.audit("security.\(kind)_refused", "submission/\(row.submissionID)", by: "island/\(island)", at: now, after: .object(event))
    }

    /// The Consumer wants no more of it; `false` when it is over.
    mutating func cancel(at now: Timestamp) throws -> Bool {
        var next = lifecycle
        let decision = next.cancelled()
        return try stop(next, decision, at: now)
    }

    /// What it runs may not be run any more; `false` when it is over.
    mutating func withdraw(_ failure: JobFailure, at now: Timestamp) throws -> Bool {
        var next = lifecycle
        let decision = next.withdrawn(failure)
        return try stop(next, decision, at: now)
    }

    private mutating func stop(_ next: JobLifecycle, _ decision: JobLifecycle.Decision, at now: Timestamp) throws -> Bool {
        guard case .finished(let failure) = decision else { return false }
        let ran = row.runTime(at: now)
        move(to: next)
        transcript.job.runMilliseconds = ran?.milliseconds
        try writer.dequeue(jobID: row.id)
        try close(failure, ran: ran, at: now)
        return true
    }

    /// Keeps as evidence what an Island says of an attempt that is not the current one.
    func keepLate(_ what: String, of attempt: Int, from island: String, at now: Timestamp) throws {
        try writer.insertLateResult(
            jobID: row.id, attempt: attempt, islandID: island, what: String(what.prefix(LateResults.wordsMax)), at: now.milliseconds)
    }

    private mutating func move(to next: JobLifecycle) {
        lifecycle = next
        transcript.job.apply(next)
        extent = .job
    }

    /// Writes the terminal record of a job that did not end well, and settles it.
    ///
    /// - Parameter ran: how long its Cargo had run; `nil` if it did not run.
    private mutating func close(_ failure: JobFailure?, ran: Duration?, at now: Timestamp) throws {
        transcript.job.complete(at: now)
        // What an earlier attempt wrote before its Island was lost is nobody's to pay for.
        if ran == nil { transcript.job.tokens = 0 }
        let failure = failure ?? JobFailure(fault: .platform, code: "internal", message: "The job ended without a reason.")
        transcript.job.failure = failure.stored
        try settle(ChargedEnd(row, failure), runTime: ran ?? .zero, at: now)
        // Only what the Cargo itself did counts against it (DESIGN §4.4).
        let blamed = failure.blamed(timeout: .milliseconds(row.timeoutMilliseconds), levelTimeout: limits(try terms()).timeout)
        if blamed == .cargo { try writer.addJobOutcome(workloadID: row.workloadID, succeeded: false) }
        try writer.insertOutcome(of: row, succeeded: false, fault: blamed.rawValue, code: failure.code)
        transcript.appendError(failure)
    }

    private mutating func settle(_ end: ChargedEnd, runTime: Duration, at now: Timestamp) throws {
        try rules.money.settle(&transcript.job, end, terms: terms(), islandOwner: islandRow()?.ownerID, runTime: runTime, at: now, in: writer)
    }

    private mutating func islandRow() throws -> IslandRow? {
        if knownIsland?.id != row.islandID { knownIsland = try row.islandID.flatMap { try writer.island(id: $0) } }
        return knownIsland
    }
}

extension ChargedEnd {
    /// How a job was over that did not end well.
    fileprivate init(_ row: JobRow, _ failure: JobFailure) {
        if row.state == JobState.cancelled.rawValue {
            self = .cancelled
        } else if failure.code == JobCharge.holdReachedCode, failure.fault == .consumer {
            self = .holdReached
        } else {
            self = .failed(failure.fault)
        }
    }
}
