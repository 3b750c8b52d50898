import CargoIO
import Domain
import Fabric
import IslandLink
import JSON
import Storage

extension Dispatcher {
    /// Takes one message of a connected Island.
    ///
    /// - Throws: ``LinkError`` when the Island breaks the link's rules; its connection is then closed.
    func receive(_ message: IslandMessage, from session: IslandSession) async throws {
        switch message {
        case .hello: throw LinkError("hello is said once")
        case .heartbeat(let attempts): renew(attempts, session)
        case .started(let attempt): try await started(attempt, session)
        case .frames(let attempt, let first, let frames): try await store(frames, from: first, of: attempt, session)
        case .finished(let end): try await finished(end, session)
        }
    }

    private func renew(_ attempts: [AttemptID], _ session: IslandSession) {
        let until = surroundings.now() + LeaseTerms.length
        for attempt in attempts {
            if leases[attempt.job]?.attempt == attempt, leases[attempt.job]?.island == session.island {
                leases[attempt.job]?.until = until
            } else {
                session.send(.cancel(attempt))
            }
        }
    }

    private func started(_ attempt: AttemptID, _ session: IslandSession) async throws {
        let (island, now) = (session.island, surroundings.now())
        let heard = try await database.write { writer -> (row: JobRow, isFirst: Bool)? in
            guard var row = try writer.job(id: attempt.job), row.islandID == island else { return nil }
            var lifecycle = try row.lifecycle()
            // Said again after a reconnect: it was heard the first time.
            if lifecycle.state == .running, lifecycle.attempt == attempt.number { return (row, false) }
            guard lifecycle.started(attempt: attempt.number) == .moved else { return nil }
            row.apply(lifecycle)
            row.startedAt = now.milliseconds
            var transcript = Transcript(row)
            transcript.append(status: "running")
            try transcript.save(in: writer)
            return (transcript.job, true)
        }
        guard let (row, isFirst) = heard else {
            session.send(.cancel(attempt))
            return
        }
        guard isFirst else { return }
        leases[attempt.job]?.overdueAt = now + .milliseconds(row.timeoutMilliseconds) + Self.finishingMax
        bus.signal(Topics.job(attempt.job))
    }

    /// Stores new frames and confirms them; repeated ones are dropped by their number.
    private func store(_ frames: [JSONObject], from first: Int, of attempt: AttemptID, _ session: IslandSession) async throws {
        let (island, now) = (session.island, surroundings.now())
        let storedUpTo = try await database.write { writer -> Int? in
            guard let row = try writer.job(id: attempt.job), row.islandID == island, row.attempt == attempt.number,
                row.state == JobState.running.rawValue
            else {
                try Self.keepLate(attempt, island, "frames \(first) to \(first + frames.count - 1)", at: now, in: writer)
                return nil
            }
            guard first <= row.storedUpTo + 1 else {
                throw LinkError("frame \(first) of \(attempt) came before frame \(row.storedUpTo + 1)")
            }
            let limits = try Self.limits(of: row, in: writer)
            var transcript = Transcript(row)
            for object in frames.dropFirst(row.storedUpTo + 1 - first) {
                let frame = try Self.frame(object, limits, written: transcript.job.frameBytes)
                guard !frame.isTerminal else { throw LinkError("the terminal frame belongs into 'finished'") }
                transcript.job.frameBytes += frame.bytes.count
                transcript.job.storedUpTo += 1
                transcript.append(frame)
            }
            try transcript.save(in: writer)
            return transcript.job.storedUpTo
        }
        guard let storedUpTo else {
            session.send(.cancel(attempt))
            return
        }
        session.send(.stored(attempt, upTo: storedUpTo))
        bus.signal(Topics.job(attempt.job))
    }

    private static func limits(of job: JobRow, in reader: any SQLReader) throws -> LevelLimits {
        try Submission.find(job.submissionID, in: reader).trustLevel?.limits ?? TrustLevel.untrusted.limits
    }

    /// Checks a frame as strictly as the Island has to: an Island is a stranger too.
    private static func frame(_ object: JSONObject, _ limits: LevelLimits, written: Int) throws -> Frame {
        let bytes = object.bytes
        guard bytes.count <= limits.frameBytesMax, written + bytes.count <= limits.transcriptBytesMax else {
            throw LinkError("a frame or transcript is longer than its trust level allows")
        }
        do {
            return try Frame(parsing: bytes)
        } catch {
            throw LinkError("a frame breaks the I/O protocol: \(error.message)")
        }
    }

    private func finished(_ end: IslandMessage.Finished, _ session: IslandSession) async throws {
        if let failure = end.failure {
            guard failure.fault != .platform, failure.fault != .consumer else { throw LinkError("/failure/fault is not an Island's to say") }
            try await self.end(end.attempt, island: session.island, .failed(failure), runMilliseconds: end.runMilliseconds)
        } else {
            try await complete(end, session)
        }
        session.send(.settled(end.attempt))
    }

    private func complete(_ end: IslandMessage.Finished, _ session: IslandSession) async throws {
        guard let done = end.done, done["type"]?.string == "done" else { throw LinkError("/done must be a frame of type done") }
        let (island, now) = (session.island, surroundings.now())
        let attempt = end.attempt
        try await database.write { writer in
            guard var row = try writer.job(id: attempt.job) else { return }
            var lifecycle = try row.lifecycle()
            guard row.islandID == island, case .finished = lifecycle.ended(attempt: attempt.number, .completed) else {
                return try Self.keepLate(attempt, island, "done", at: now, in: writer)
            }
            guard row.storedUpTo == end.frames else {
                throw LinkError("\(attempt) ended after \(end.frames) frames, of which \(row.storedUpTo) came")
            }
            _ = try Self.frame(done, Self.limits(of: row, in: writer), written: row.frameBytes)
            row.apply(lifecycle)
            row.completedAt = now.milliseconds
            // An Island is paid for time, so its own word counts only up to what was seen from here.
            row.runMilliseconds = min(end.runMilliseconds, now.milliseconds - (row.startedAt ?? now.milliseconds))
            row.creditsUsed = try Self.charge(row, in: writer)
            try writer.addJobOutcome(workloadID: row.workloadID, succeeded: true)
            var transcript = Transcript(row)
            transcript.appendDone(done)
            try transcript.save(in: writer)
        }
        release(attempt)
        bus.signal(Topics.job(attempt.job))
    }

    private static func charge(_ row: JobRow, in reader: any SQLReader) throws -> Int {
        guard let prices = try Submission.find(row.submissionID, in: reader).fields.prices else {
            throw StorageError(.unexpectedShape, "submission \(row.submissionID) has no price")
        }
        let charge = prices.charge(tokens: row.tokens, runTime: .milliseconds(row.runMilliseconds ?? 0))
        return min(charge, row.maxCredits ?? charge)
    }

    /// Ends an attempt: the job is over, or waits for another Island.
    func end(_ attempt: AttemptID, island: String, _ end: AttemptEnd, runMilliseconds: Int? = nil) async throws {
        let now = surroundings.now()
        try await database.write { writer in
            guard var row = try writer.job(id: attempt.job) else { return }
            var lifecycle = try row.lifecycle()
            let decision = row.islandID == island ? lifecycle.ended(attempt: attempt.number, end) : .ignoredLate
            switch decision {
            case .ignoredLate, .moved: try Self.keepLate(attempt, island, "\(end)", at: now, in: writer)
            case .retry:
                row.apply(lifecycle)
                row.failedIslands += (row.failedIslands.isEmpty ? "" : " ") + island
                try writer.update(row)
            case .finished(let failure):
                row.apply(lifecycle)
                row.runMilliseconds = runMilliseconds
                try Self.close(row, failure, at: now, in: writer)
            }
        }
        release(attempt)
        bus.signal(Topics.job(attempt.job))
    }

    /// Writes the terminal record of a job that did not end well; nothing is charged for it.
    private static func close(_ row: JobRow, _ failure: JobFailure?, at now: Timestamp, in writer: any SQLWriter) throws {
        var row = row
        row.completedAt = now.milliseconds
        row.creditsUsed = 0
        let failure = failure ?? JobFailure(fault: .platform, code: "internal", message: "The job ended without a reason.")
        row.failure = failure.stored
        // Only what the Cargo itself did counts against it (DESIGN §4.4).
        if failure.fault == .cargo { try writer.addJobOutcome(workloadID: row.workloadID, succeeded: false) }
        var transcript = Transcript(row)
        transcript.appendError(failure)
        try transcript.save(in: writer)
    }

    private static func keepLate(_ attempt: AttemptID, _ island: String, _ what: String, at now: Timestamp, in writer: any SQLWriter) throws {
        guard try writer.job(id: attempt.job) != nil else { return }
        try writer.insertLateResult(
            jobID: attempt.job, attempt: attempt.number, islandID: island, what: String(what.prefix(1000)), at: now.milliseconds)
    }

    /// Cancels a job in any state that is not terminal; its Island is told to end it.
    ///
    /// - Throws: `not_found`; `conflict` (`state_conflict`) when the job is over.
    public func cancel(_ id: String, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        let now = surroundings.now()
        let job = try await database.write { writer -> Job in
            let job = try Jobs.find(id, for: principal, in: writer)
            var row = job.row
            var lifecycle = try row.lifecycle()
            guard case .finished(let failure) = lifecycle.cancelled() else {
                throw ServiceError(
                    .conflict, code: "state_conflict", "Job \(id) is already \(job.state.rawValue).", context: ["state": .string(job.state.rawValue)])
            }
            row.apply(lifecycle)
            try Self.close(row, failure, at: now, in: writer)
            guard let stored = try writer.job(id: id) else { throw ServiceError.notFound("job \(id)") }
            return try Job.find(stored, in: writer)
        }
        if job.row.attempt > 0, let island = job.row.islandID {
            let attempt = AttemptID(job: id, number: job.row.attempt)
            sessions[island]?.send(.cancel(attempt))
            release(attempt)
        }
        bus.signal(Topics.job(id))
        return job
    }
}
