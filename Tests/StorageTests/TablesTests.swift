import Testing

@testable import Storage

/// Every table: what is stored comes back, and changes change what they name.
@Suite(.timeLimit(.minutes(5))) struct TablesTests {
    /// A database with the account `a`, the Cargo `my-cargo` and one draft of it.
    static func stocked(_ adapter: TestDatabase, _ body: (any Database, WorkloadRow, SubmissionRow) async throws -> Void) async throws {
        try await adapter.fresh { database in
            let (workload, submission) = try await database.write { writer in
                try writer.insert(DatabaseContract.account("a"))
                let workload = try writer.insertWorkload(slug: "my-cargo", ownerID: "a", at: 2)
                return (workload, try writer.insert(draft(workload.id)))
            }
            try await body(database, workload, submission)
        }
    }

    static func draft(_ workloadID: Int, version: String = "v1.0.0", publisher: String = "a") -> SubmissionRow {
        SubmissionRow(
            workloadID: workloadID, publisherID: publisher, state: "draft", fields: #"{"name":"My Cargo"}"#, version: version, createdAt: 3)
    }

    static func job(_ id: String, _ workload: WorkloadRow, _ submission: SubmissionRow, priority: Int = 50, maxCredits: Int? = nil) -> JobRow {
        JobRow(
            id: id, workloadID: workload.id, submissionID: submission.id, consumerID: "a", state: "pending", input: "{}", priority: priority,
            maxCredits: maxCredits, timeoutMilliseconds: 60_000, createdAt: 4)
    }

    @Test(arguments: TestDatabase.all)
    func keysAreFoundByTheirHashUntilTheyEndOrAreRevoked(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, _ in
            let key = APIKeyRow(
                id: "k", accountID: "a", name: "laptop", prefix: "ak_1234567", hash: "hash", scopes: "read write", createdAt: 5, expiresAt: 9)
            try await database.write { try $0.insert(key) }
            #expect(try await database.read { try $0.liveAPIKey(hash: "hash", at: 8) } == key)
            #expect(try await database.read { try $0.liveAPIKey(hash: "other", at: 8) } == nil)
            #expect(try await database.read { try $0.liveAPIKey(hash: "hash", at: 9) } == nil)
            try await database.write { try $0.revokeAPIKey(id: "k", at: 6) }
            #expect(try await database.read { try $0.liveAPIKey(hash: "hash", at: 8) } == nil)
            let twin = APIKeyRow(id: "l", accountID: "a", name: "", prefix: "", hash: "hash", scopes: "", createdAt: 5, expiresAt: nil)
            #expect(await storageCode { try await database.write { try $0.insert(twin) } } == "already_exists")
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWorkloadKnowsItsPublishedSubmission(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            #expect(workload.slug == "my-cargo")
            #expect(workload.publishedSubmissionID == nil)
            try await database.write { try $0.setPublishedSubmission(submission.id, workloadID: workload.id) }
            #expect(try await database.read { try $0.workload(slug: "my-cargo")?.publishedSubmissionID } == submission.id)
            try await database.write { try $0.setPublishedSubmission(nil, workloadID: workload.id) }
            #expect(try await database.read { try $0.workload(slug: "my-cargo")?.publishedSubmissionID } == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWorkloadIsOnlyDeletedWhenItIsEmpty(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            try await database.write { try $0.deleteWorkloadIfEmpty(id: workload.id) }
            #expect(try await database.read { try $0.workload(id: workload.id) } == workload)
            try await database.write { writer in
                try writer.insert(SubmissionEventRow(submissionID: submission.id, at: 1, actorID: "a", action: "create", toState: "draft", note: ""))
                try writer.insertScan(submissionID: submission.id, digest: "sha256:1", purpose: "review", at: 1)
                try writer.deleteSubmission(id: submission.id)
                try writer.deleteWorkloadIfEmpty(id: workload.id)
            }
            #expect(try await database.read { try $0.workload(id: workload.id) } == nil)
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM submission_events", []) } == 0)
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM scans", []) } == 0)
        }
    }

    @Test(arguments: TestDatabase.all)
    func everyColumnOfASubmissionCanChange(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            var changed = submission
            changed.state = "approved"
            changed.fields = "{}"
            changed.version = "v2.0.0"
            changed.imageDigest = "sha256:1"
            changed.platforms = "linux/amd64 linux/arm64"
            changed.trustLevel = 1
            changed.reviewerID = "a"
            changed.reviewNote = "note"
            changed.rejectionReason = "reason"
            changed.rejectionRule = "rule"
            changed.updatedAt = 10
            changed.submittedAt = 11
            changed.reviewedAt = 12
            changed.publishedAt = 13
            changed.signature = "{}"
            let wanted = changed
            try await database.write { try $0.update(wanted) }
            #expect(try await database.read { try $0.submission(id: submission.id) } == wanted)
            try await database.write { try $0.update(submission) }
            #expect(try await database.read { try $0.submission(id: submission.id) } == submission)
            #expect(try await database.read { try $0.submission(id: submission.id + 1) } == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func submissionsAreListedByPublisherAndByState(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, first in
            let more = try await database.write { writer in
                try writer.insert(DatabaseContract.account("b"))
                return try (1...4).map { number -> SubmissionRow in
                    var row = try writer.insert(Self.draft(workload.id, version: "v1.\(number).0", publisher: number == 4 ? "b" : "a"))
                    row.state = "pending_review"
                    row.submittedAt = 100 - number
                    try writer.update(row)
                    return row
                }
            }
            let own = try await database.read { try $0.submissions(publisherID: "a", state: nil, limit: 2, offset: 1) }
            #expect(own.total == 4)
            #expect(own.rows.map(\.id) == [more[1].id, more[0].id])
            #expect(try await database.read { try $0.submissions(publisherID: "a", state: "draft", limit: 9, offset: 0) }.rows == [first])
            let queue = try await database.read { try $0.submissions(inState: "pending_review", limit: 9, offset: 0) }
            #expect(queue.total == 4)
            #expect(queue.rows.map(\.submittedAt) == [96, 97, 98, 99])
            #expect(try await database.read { try $0.submissions(inState: "pending_review", limit: 9, offset: 9) }.rows == [])
        }
    }

    @Test(arguments: TestDatabase.all)
    func activeCargosAreCountedOnceEachAndWithoutTheOneInQuestion(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, _ in
            let other = try await database.write { writer -> WorkloadRow in
                let other = try writer.insertWorkload(slug: "other", ownerID: "a", at: 1)
                for version in ["v1.0.0", "v1.1.0"] { _ = try writer.insert(Self.draft(other.id, version: version)) }
                return other
            }
            let count = { @Sendable (states: [String], without: Int) in
                try await database.read { try $0.countWorkloads(publisherID: "a", inStates: states, otherThan: without) }
            }
            #expect(try await count(["draft"], 0) == 2)
            #expect(try await count(["draft"], workload.id) == 1)
            #expect(try await count(["draft"], other.id) == 1)
            #expect(try await count(["published", "approved"], 0) == 0)
            #expect(try await database.read { try $0.countWorkloads(publisherID: "b", inStates: ["draft"], otherThan: 0) } == 0)
        }
    }

    @Test(arguments: TestDatabase.all)
    func eventsStayInOrder(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            let events = (1...3).map {
                SubmissionEventRow(submissionID: submission.id, at: 10 - $0, actorID: "a", action: "edit", toState: "draft", note: "\($0)")
            }
            try await database.write { writer in for event in events { try writer.insert(event) } }
            #expect(try await database.read { try $0.submissionEvents(submissionID: submission.id) } == events)
        }
    }

    @Test(arguments: TestDatabase.all)
    func everyChangingColumnOfAJobCanChange(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            let job = Self.job("j", workload, submission, maxCredits: 9)
            try await database.write { try $0.insert(job) }
            #expect(try await database.read { try $0.job(id: "j") } == job)
            var changed = job
            changed.state = "completed"
            changed.attempt = 2
            changed.islandID = "island"
            changed.firstCause = "{}"
            changed.failure = "{}"
            changed.records = 5
            changed.storedUpTo = 3
            changed.frameBytes = 100
            changed.tokens = 2
            changed.creditsUsed = 7
            changed.startedAt = 11
            changed.completedAt = 12
            changed.runMilliseconds = 1
            let wanted = changed
            try await database.write { try $0.update(wanted) }
            #expect(try await database.read { try $0.job(id: "j") } == wanted)
            #expect(try await database.read { try $0.job(id: "k") } == nil)
            #expect(await storageCode { try await database.write { try $0.insert(job) } } == "already_exists")
        }
    }

    @Test(arguments: TestDatabase.all)
    func aJobThatIsNotOverKeepsWhatOnlyItsEndChanges(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            var wanted = Self.job("j", workload, submission, maxCredits: 9)
            wanted.held = 7
            let sent = wanted
            try await database.write { try $0.insert(sent) }
            (wanted.state, wanted.attempt, wanted.islandID, wanted.placement) = ("running", 2, "island", "{}")
            (wanted.failedIslands, wanted.firstCause, wanted.startedAt) = ("other", "{}", 11)
            (wanted.records, wanted.storedUpTo, wanted.frameBytes, wanted.tokens) = (5, 3, 100, 2)
            let running = wanted
            (wanted.failure, wanted.creditsUsed, wanted.held, wanted.completedAt, wanted.runMilliseconds, wanted.keepUntil) = ("{}", 7, 0, 12, 1, 13)
            let over = wanted
            try await database.write { try $0.updateOpen(over) }
            #expect(try await database.read { try $0.job(id: "j") } == running)
            try await database.write { try $0.update(over) }
            #expect(try await database.read { try $0.job(id: "j") } == over)
        }
    }

    @Test(arguments: TestDatabase.all)
    func jobsAreListedByConsumerAndQueuedInTheOrderOfTheirArrival(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            try await database.write { writer in
                for (id, priority) in [("1", 50), ("2", 100), ("3", 50), ("4", 0)] {
                    try writer.insert(Self.job(id, workload, submission, priority: priority))
                    try writer.enqueue(Self.job(id, workload, submission, priority: priority))
                }
                try writer.dequeue(jobID: "3")
                var done = Self.job("5", workload, submission, priority: 100)
                try writer.insert(done)
                done.state = "completed"
                done.completedAt = 5
                try writer.update(done)
            }
            let queue = try await database.read { try $0.queuedJobs(after: 0, limit: 10) }
            #expect(queue.map(\.jobID) == ["1", "2", "4"])
            #expect(queue.map(\.priority) == [50, 100, 0])
            #expect(try await database.read { try $0.queuedJobs(after: queue[0].number, limit: 1) }.map(\.jobID) == ["2"])
            // A job that comes again stands at the end, with a number that nobody had.
            try await database.write { try $0.dequeue(jobID: "4") }
            try await database.write { try $0.enqueue(Self.job("4", workload, submission)) }
            #expect(try await database.read { try $0.queuedJobs(after: queue[2].number, limit: 10) }.map(\.jobID) == ["4"])
            #expect(try await database.read { try $0.openJobs(inStates: ["pending", "completed"]) }.map(\.id) == ["1", "2", "3", "4"])
            #expect(try await database.read { try $0.openJobs(inStates: ["failed"]) } == [])
            let ofVersions = { (ids: Set<Int>) in
                try await database.read { try $0.openJobs(inStates: ["pending", "queued"], ofVersions: ids) }.map(\.id)
            }
            #expect(try await ofVersions([submission.id + 1, submission.id]) == ["1", "2", "3", "4"])
            #expect(try await ofVersions([submission.id + 1]) == [])
            #expect(try await ofVersions([]) == [])
            let page = try await database.read { try $0.jobs(consumerID: "a", state: nil, limit: 2, offset: 1) }
            #expect(page.total == 5)
            #expect(page.rows.map(\.id) == ["4", "3"])
            #expect(try await database.read { try $0.jobs(consumerID: "a", state: "completed", limit: 9, offset: 0) }.rows.map(\.id) == ["5"])
            let pending = try await database.read { try $0.jobs(consumerID: "a", state: "pending", limit: 2, offset: 0) }
            #expect(pending.total == 4)
            #expect(pending.rows.map(\.id) == ["4", "3"])
            #expect(try await database.read { try $0.jobs(consumerID: "a", state: "running", limit: 9, offset: 0) }.total == 0)
            #expect(try await database.read { try $0.jobs(consumerID: "b", state: "pending", limit: 9, offset: 0) }.total == 0)
        }
    }

    @Test(arguments: TestDatabase.all)
    func theNewestRecordSaysHowFarARunningJobHasCome(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            var job = Self.job("j", workload, submission)
            (job.state, job.attempt) = ("running", 1)
            let start = job
            try await database.write { try $0.insert(start) }
            #expect(try await database.read { try $0.job(id: "j") } == start)
            // Of records that are stored at once, and of one that is in a file.
            for (seqs, bytes) in [(1...3, 10), (4...4, RecordFolder.rowBytesMax + 1), (5...14, 10)] {
                (job.records, job.storedUpTo, job.frameBytes, job.tokens) = (seqs.upperBound, seqs.upperBound, 10 * seqs.upperBound, seqs.lowerBound)
                let rows = seqs.map { RecordRow(seq: $0, attempt: 1, kind: "token", body: Array(repeating: 65, count: bytes)) }
                let now = job
                try await database.write { try $0.insert(rows, of: now) }
                #expect(try await database.read { try $0.job(id: "j") } == now)
                #expect(try await database.read { try $0.job(id: "j", withInput: false) }?.storedUpTo == now.storedUpTo)
                #expect(try await database.read { try $0.openJobs(inStates: ["running"]) }.map(\.records) == [now.records])
                #expect(try await database.read { try $0.jobs(consumerID: "a", state: nil, limit: 9, offset: 0) }.rows.map(\.tokens) == [now.tokens])
            }
        }
    }

    /// A record of another attempt, one of before records said so, and those of a job that does not run leave the row's own word.
    @Test(arguments: TestDatabase.all, [(2, "running", false), (1, "running", true), (1, "completed", false), (1, "pending", false)])
    func otherRecordsSayNothingOfIt(adapter: TestDatabase, other: (attempt: Int, state: String, isOld: Bool)) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            var job = Self.job("j", workload, submission)
            (job.state, job.attempt) = (other.state, other.attempt)
            (job.records, job.storedUpTo, job.frameBytes, job.tokens) = (1, 0, 0, 0)
            var later = job
            (later.records, later.storedUpTo, later.frameBytes, later.tokens) = (5, 5, 50, 5)
            try await database.write { [job, later] writer in
                try writer.insert(job)
                try writer.insert([RecordRow(seq: 1, attempt: 1, kind: "token", body: [65])], of: later)
                if other.isOld { try writer.execute("UPDATE records SET stored_up_to = NULL, frame_bytes = NULL, tokens = NULL", []) }
            }
            #expect(try await database.read { try $0.job(id: "j") } == job)
        }
    }

    @Test(arguments: TestDatabase.all)
    func recordsArePagedByCountAndByBytesButOneAlwaysComes(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            let rows = (1...10).map {
                RecordRow(seq: $0, attempt: $0 < 6 ? 1 : 2, kind: $0 == 10 ? "done" : "token", body: Array(repeating: 65, count: 100))
            }
            try await database.write { writer in
                let (job, other) = (Self.job("j", workload, submission), Self.job("k", workload, submission))
                try writer.insert(job)
                try writer.insert(other)
                try writer.insert(rows, of: job)
                try writer.insert([RecordRow(seq: 1, attempt: 1, kind: "token", body: [66])], of: other)
            }
            let page = { @Sendable (from: Int, limit: Int, bytes: Int) in
                try await database.read { try $0.records(jobID: "j", from: from, limit: limit, bytesMax: bytes) }
            }
            #expect(try await page(1, 100, 10_000) == rows)
            #expect(try await page(4, 3, 10_000) == Array(rows[3..<6]))
            #expect(try await page(1, 100, 299).map(\.seq) == [1, 2])
            #expect(try await page(1, 100, 300).map(\.seq) == [1, 2, 3])
            #expect(try await page(1, 100, 301).map(\.seq) == [1, 2, 3])
            #expect(try await page(9, 100, 0).map(\.seq) == [9])
            #expect(try await page(10, 1, 1).map(\.seq) == [10])
            #expect(try await page(11, 100, 10_000) == [])
            #expect(try await database.read { try $0.records(jobID: "j", attempt: 2, kind: "token") }.map(\.seq) == [6, 7, 8, 9])
            #expect(try await database.read { try $0.records(jobID: "j", attempt: 3, kind: "token") } == [])
            #expect(
                await storageCode { try await database.write { try $0.insert([rows[0]], of: Self.job("j", workload, submission)) } }
                    == "already_exists")
        }
    }

    @Test(arguments: TestDatabase.all)
    func islandsAreFoundByTheirTokensHashAndRememberWhatTheySaid(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, _ in
            try await database.write { writer in
                try writer.insert(DatabaseContract.account("b"))
                try writer.insertIsland(id: "i1", ownerID: "a", name: "one", tokenHash: "h1", at: 5)
                try writer.insertIsland(id: "i2", ownerID: "b", name: "two", tokenHash: "h2", at: 6)
            }
            let island = try await database.read { try $0.island(tokenHash: "h1") }
            #expect(island?.id == "i1")
            #expect(island?.capabilities == nil && island?.lastSeenAt == nil && island?.drained == false)
            try await database.write { writer in
                try writer.noteIslandSeen(id: "i1", capabilities: "{}", at: 9)
                try writer.setIslandDrained(true, id: "i1")
            }
            let seen = try await database.read { try $0.island(id: "i1") }
            #expect(seen?.capabilities == "{}" && seen?.lastSeenAt == 9 && seen?.drained == true)
            try await database.write { try $0.noteIslandSeen(id: "i1", at: 12) }
            let left = try await database.read { try $0.island(id: "i1") }
            #expect(left?.capabilities == "{}" && left?.lastSeenAt == 12)
            #expect(try await database.read { try $0.island(id: "i2")?.drained } == false)
            #expect(try await database.read { try $0.islands(ownerID: nil, limit: 9, offset: 0) }.rows.map(\.id) == ["i1", "i2"])
            #expect(try await database.read { try $0.islands(ownerID: "b", limit: 9, offset: 0) }.rows.map(\.id) == ["i2"])
            #expect(try await database.read { try $0.islands(ownerID: nil, limit: 1, offset: 1) }.total == 2)
        }
    }

    // MARK: Scans

    static func result(_ state: String, dueAt: Int, verdict: String? = nil) -> ScanResult {
        ScanResult(state: state, verdict: verdict, findings: "[]", reports: "[]", failure: nil, dueAt: dueAt, finishedAt: nil)
    }

    @Test(arguments: TestDatabase.all)
    func theScanThatIsDueLongestIsTakenFirstAndOnlyWhenDue(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            try await database.write { writer in
                for (digest, at) in [("c", 30), ("a", 10), ("b", 20), ("a2", 10)] {
                    try writer.insertScan(submissionID: submission.id, digest: digest, purpose: "review", at: at)
                }
            }
            #expect(try await database.read { try $0.nextScanDue() } == 10)
            let take = { @Sendable (now: Int) in try await database.write { try $0.takeDueScan(at: now) } }
            #expect(try await take(9) == nil)
            let first = try await take(10)
            #expect(first?.digest == "a")
            #expect(first?.state == "running")
            #expect(first?.tries == 1)
            #expect(try await take(100)?.digest == "a2")
            #expect(try await take(20)?.digest == "b")
            #expect(try await take(29) == nil)
            #expect(try await take(30)?.digest == "c")
            #expect(try await take(Int.max) == nil)
            #expect(try await database.read { try $0.nextScanDue() } == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aScanIsTakenByOneWorkerOnly(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            try await database.write { writer in
                for number in 0..<30 { try writer.insertScan(submissionID: submission.id, digest: "\(number)", purpose: "review", at: 1) }
            }
            let taken = try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<50 { group.addTask { try await database.write { try $0.takeDueScan(at: 5)?.id } } }
                return try await group.reduce(into: [Int]()) { if let id = $1 { $0.append(id) } }
            }
            #expect(taken.count == 30)
            #expect(Set(taken).count == 30)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aScanThatFailedIsTakenAgainWhenItIsDueAndCountsItsTries(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            try await database.write { try $0.insertScan(submissionID: submission.id, digest: "d", purpose: "review", at: 1) }
            let id = try await database.write { try $0.takeDueScan(at: 1)?.id } ?? 0
            try await database.write { try $0.finishScan(id: id, Self.result("could_not_scan", dueAt: 50)) }
            #expect(try await database.write { try $0.takeDueScan(at: 49) } == nil)
            let again = try await database.write { try $0.takeDueScan(at: 50) }
            #expect(again?.id == id && again?.tries == 2)
            try await database.write { try $0.finishScan(id: id, Self.result("finished", dueAt: 60, verdict: "clean")) }
            #expect(try await database.write { try $0.takeDueScan(at: 1000) } == nil)
            let newest = try await database.read { try $0.newestScan(submissionID: submission.id) }
            #expect(newest?.state == "finished" && newest?.verdict == "clean" && newest?.tries == 2)
        }
    }

    @Test(arguments: TestDatabase.all)
    func runningScansAreQueuedAgainAndStoppedOnesAreNot(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, _, submission in
            try await database.write { writer in
                for digest in ["a", "b"] { try writer.insertScan(submissionID: submission.id, digest: digest, purpose: "review", at: 1) }
                _ = try writer.takeDueScan(at: 1)
            }
            #expect(try await database.write { try $0.requeueRunningScans(at: 7) } == 1)
            #expect(try await database.write { try $0.requeueRunningScans(at: 7) } == 0)
            try await database.write { try $0.stopScans(submissionID: submission.id, notDueBefore: Int.max) }
            #expect(try await database.write { try $0.takeDueScan(at: 1_000_000) } == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func lateResultsAreKept(adapter: TestDatabase) async throws {
        try await Self.stocked(adapter) { database, workload, submission in
            try await database.write { writer in
                try writer.insert(Self.job("j", workload, submission))
                try writer.insertLateResult(jobID: "j", attempt: 1, islandID: "i", what: "done", at: 5)
                try writer.insertLateResult(jobID: "j", attempt: 1, islandID: "i", what: "done", at: 5)
            }
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM late_results WHERE job_id = 'j'", []) } == 2)
        }
    }
}
