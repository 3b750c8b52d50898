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
        let heard = try await database.write { [terms] writer -> (row: JobRow, paidUntil: Timestamp?, isFirst: Bool)? in
            guard var row = try writer.job(id: attempt.job), row.islandID == island else { return nil }
            var lifecycle = try row.lifecycle()
            // Said again after a reconnect: it was heard the first time.
            if lifecycle.state == .running, lifecycle.attempt == attempt.number { return (row, nil, false) }
            guard lifecycle.started(attempt: attempt.number) == .moved else { return nil }
            row.apply(lifecycle)
            row.startedAt = now.milliseconds
            var transcript = Transcript(row)
            transcript.append(status: "running")
            try transcript.save(in: writer)
            return (transcript.job, try row.paidUntil(terms.terms(of: row.submissionID, in: writer)), true)
        }
        guard let (row, paidUntil, isFirst) = heard else {
            session.send(.cancel(attempt))
            return
        }
        guard isFirst else { return }
        leases[attempt.job]?.paidUntil = paidUntil
        leases[attempt.job]?.overdueAt = now + .milliseconds(row.timeoutMilliseconds) + Self.finishingMax
        bus.signal(Topics.job(attempt.job))
    }

    /// Stores new frames and confirms them; repeated ones are dropped by their number.
    private func store(_ frames: [JSONObject], from first: Int, of attempt: AttemptID, _ session: IslandSession) async throws {
        let (island, now) = (session.island, surroundings.now())
        let stored = try await database.write { [terms] writer -> (upTo: Int, paidUntil: Timestamp?, isPaid: Bool)? in
            guard let row = try writer.job(id: attempt.job), row.islandID == island, row.attempt == attempt.number,
                row.state == JobState.running.rawValue
            else {
                try Self.keepLate(attempt, island, "frames \(first) to \(first + frames.count - 1)", at: now, in: writer)
                return nil
            }
            guard first <= row.storedUpTo + 1 else {
                throw LinkError("frame \(first) of \(attempt) came before frame \(row.storedUpTo + 1)")
            }
            let terms = try terms.terms(of: row.submissionID, in: writer)
            var isPaid = true
            var transcript = Transcript(row)
            for object in frames.dropFirst(row.storedUpTo + 1 - first) {
                let frame = try Self.frame(object, terms.limits, written: transcript.job.frameBytes)
                guard !frame.isTerminal else { throw LinkError("the terminal frame belongs into 'finished'") }
                let tokens = transcript.job.tokens + (frame.type == Frame.KnownType.token.rawValue ? 1 : 0)
                // What nobody pays for is not delivered.
                isPaid = !JobCharge.isHoldReached(prices: terms.prices, tokens: tokens, runTime: row.runTime(at: now) ?? .zero, held: row.held)
                if !isPaid { break }
                transcript.job.frameBytes += frame.bytes.count
                transcript.job.storedUpTo += 1
                transcript.append(frame)
            }
            try transcript.save(in: writer)
            return (transcript.job.storedUpTo, transcript.job.paidUntil(terms), isPaid)
        }
        guard let stored else {
            session.send(.cancel(attempt))
            return
        }
        crashPoints?.reach(.beforeConfirm)
        session.send(.stored(attempt, upTo: stored.upTo))
        leases[attempt.job]?.paidUntil = stored.paidUntil
        bus.signal(Topics.job(attempt.job))
        if !stored.isPaid { try await stopUnpaid(attempt, island: island) }
    }

    /// Ends a job whose meter has reached what is held for it.
    func stopUnpaid(_ attempt: AttemptID, island: String) async throws {
        let failure = JobFailure(
            fault: .consumer, code: JobCharge.holdReachedCode, message: "The job used all the credits that were set aside for it; allow it more.")
        try await end(attempt, island: island, .failed(failure))
        sessions[island]?.send(.cancel(attempt))
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
        crashPoints?.reach(.beforeSettled)
        session.send(.settled(end.attempt))
    }

    private func complete(_ end: IslandMessage.Finished, _ session: IslandSession) async throws {
        guard let done = end.done, done["type"]?.string == "done" else { throw LinkError("/done must be a frame of type done") }
        let (island, now) = (session.island, surroundings.now())
        let attempt = end.attempt
        let karma = try await database.write { [self] writer -> Int? in
            guard var row = try writer.job(id: attempt.job) else { return nil }
            var lifecycle = try row.lifecycle()
            let seen = row.runTime(at: now)
            guard row.islandID == island, case .finished = lifecycle.ended(attempt: attempt.number, .completed) else {
                try Self.keepLate(attempt, island, "done", at: now, in: writer)
                return nil
            }
            guard row.storedUpTo == end.frames else {
                throw LinkError("\(attempt) ended after \(end.frames) frames, of which \(row.storedUpTo) came")
            }
            _ = try Self.frame(done, terms.terms(of: row.submissionID, in: writer).limits, written: row.frameBytes)
            row.apply(lifecycle)
            row.complete(at: now)
            // An Island is paid for time, so its own word counts only up to what was seen from here.
            row.runMilliseconds = min(end.runMilliseconds, seen?.milliseconds ?? 0)
            try settle(&row, .completed, runTime: .milliseconds(row.runMilliseconds ?? 0), at: now, in: writer)
            try writer.addJobOutcome(workloadID: row.workloadID, succeeded: true)
            try writer.insertOutcome(of: row, succeeded: true, fault: nil, code: nil)
            var transcript = Transcript(row)
            transcript.appendDone(done)
            try transcript.save(in: writer)
            return try writer.addWork(of: island, milliseconds: row.runMilliseconds ?? 0, job: row.id, at: now)
        }
        noteKarma(karma, of: island)
        release(attempt, island: island)
        bus.signal(Topics.job(attempt.job))
    }

    private nonisolated func settle(_ row: inout JobRow, _ end: ChargedEnd, runTime: Duration, at now: Timestamp, in writer: any SQLWriter) throws {
        let terms = try terms.terms(of: row.submissionID, in: writer)
        try money.settle(&row, end, terms: terms, runTime: runTime, at: now, in: writer)
    }

    /// Ends an attempt: the job is over, or waits for another Island.
    func end(_ attempt: AttemptID, island: String, _ end: AttemptEnd, runMilliseconds: Int? = nil) async throws {
        let now = surroundings.now()
        let karma = try await database.write { [self] writer -> Int? in
            guard var row = try writer.job(id: attempt.job) else { return nil }
            var lifecycle = try row.lifecycle()
            let decision = row.islandID == island ? lifecycle.ended(attempt: attempt.number, end) : .ignoredLate
            switch decision {
            case .ignoredLate, .moved:
                try Self.keepLate(attempt, island, "\(end)", at: now, in: writer)
                return nil
            case .retry:
                row.apply(lifecycle)
                row.failedIslands += (row.failedIslands.isEmpty ? "" : " ") + island
                try writer.update(row)
                try writer.enqueue(row)
            case .finished(let failure):
                let ran = row.runTime(at: now)
                row.apply(lifecycle)
                row.runMilliseconds = runMilliseconds ?? ran?.milliseconds
                try close(row, failure, ran: ran, at: now, in: writer)
            }
            guard case .failed(let failure) = end else { return nil }
            return try writer.punish(island, for: failure, job: row.id, at: now)
        }
        noteKarma(karma, of: island)
        release(attempt, island: island)
        bus.signal(Topics.placement)
        bus.signal(Topics.job(attempt.job))
    }

    /// Writes the terminal record of a job that did not end well, and settles it.
    ///
    /// - Parameter ran: how long its Cargo had run; `nil` if it did not run.
    private nonisolated func close(_ row: JobRow, _ failure: JobFailure?, ran: Duration?, at now: Timestamp, in writer: any SQLWriter) throws {
        var row = row
        row.complete(at: now)
        // What an earlier attempt wrote before its Island was lost is nobody's to pay for.
        if ran == nil { row.tokens = 0 }
        let failure = failure ?? JobFailure(fault: .platform, code: "internal", message: "The job ended without a reason.")
        row.failure = failure.stored
        try settle(&row, ChargedEnd(row, failure), runTime: ran ?? .zero, at: now, in: writer)
        // Only what the Cargo itself did counts against it (DESIGN §4.4).
        if failure.fault == .cargo { try writer.addJobOutcome(workloadID: row.workloadID, succeeded: false) }
        try writer.insertOutcome(of: row, succeeded: false, fault: failure.fault.rawValue, code: failure.code)
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
        let job = try await database.write { [self] writer -> Job in
            let job = try Jobs.find(id, for: principal, in: writer)
            var row = job.row
            var lifecycle = try row.lifecycle()
            guard case .finished(let failure) = lifecycle.cancelled() else {
                throw ServiceError(
                    .conflict, code: "state_conflict", "Job \(id) is already \(job.state.rawValue).", context: ["state": .string(job.state.rawValue)])
            }
            let ran = row.runTime(at: now)
            row.apply(lifecycle)
            row.runMilliseconds = ran?.milliseconds
            try writer.dequeue(jobID: id)
            try close(row, failure, ran: ran, at: now, in: writer)
            guard let stored = try writer.job(id: id) else { throw ServiceError.notFound("job \(id)") }
            return try Job.find(stored, in: writer)
        }
        waitingRows[id] = nil
        if job.row.attempt > 0, let island = job.row.islandID {
            let attempt = AttemptID(job: id, number: job.row.attempt)
            sessions[island]?.send(.cancel(attempt))
            release(attempt, island: island)
        }
        bus.signal(Topics.job(id))
        return job
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
