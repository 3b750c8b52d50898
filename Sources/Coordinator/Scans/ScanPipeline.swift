public import Domain
public import Fabric
import JSON
public import Logging
import OCI
import Scanning
import Storage

/// Scans what enters review and what is due to be scanned again: brings the pinned digest, checks every byte of it, lets the judge
/// speak, and stores one verdict.
///
/// What waits stands in the database, so a stopped process loses nothing: its running scans are queued again.
public struct ScanPipeline: Sendable {
    private let database: any Database
    private let moves: SubmissionMoves
    private let images: any ImageSource
    private let judge: ContentJudge
    private let bills: BillPublisher
    private let consequences: RescanConsequences
    private let bus: any SignalBus
    private let surroundings: Surroundings
    private let logger: Logger
    private let scansMax: Int
    private let room = ScanRoom()

    /// A pipeline around a judge.
    ///
    /// - Parameters:
    ///   - rescans: what a rescan that finds something leads to.
    ///   - scansMax: scans at once, at least 1.
    public init(
        moves: SubmissionMoves, images: any ImageSource, judge: ContentJudge, rescans: RescanPolicy, scansMax: Int, bus: any SignalBus,
        surroundings: Surroundings, logger: Logger
    ) {
        precondition(scansMax > 0, "a pipeline needs a worker")
        database = moves.database
        self.moves = moves
        self.images = images
        self.judge = judge
        bills = BillPublisher(database: moves.database, images: images)
        consequences = RescanConsequences(moves: moves, policy: rescans)
        self.scansMax = scansMax
        self.bus = bus
        self.surroundings = surroundings
        self.logger = logger
    }

    /// Chosen: the first retry comes soon, because most reasons are short (a registry that restarts); later ones wait for
    /// an operator.
    static let retryDelays: [Duration] = [.seconds(15), .seconds(60), .seconds(300), .seconds(3600)]

    /// Scans of one submission whose documents are kept. Chosen: two months of weekly rescans.
    private static let documentedScansMax = 8

    /// Works until the task is cancelled.
    public func run() async throws {
        let now = surroundings.now().milliseconds
        _ = try await database.write { try $0.requeueRunningScans(at: now) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<scansMax { group.addTask { try await work() } }
            try await group.waitForAll()
        }
    }

    private func work() async throws {
        while !Task.isCancelled {
            // Listens anew each round, before it looks: a stream whose reader was cancelled is over for good.
            let signals = bus.signals(on: Topics.scans)
            while try await scanNext() {}
            try await discardUnneeded()
            try await waitForWork(signals)
        }
    }

    private func waitForWork(_ signals: SignalListener) async throws {
        let due = try await database.read { try $0.nextScanDue() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            if let due, due < Int.max {
                let wait = Duration.milliseconds(max(0, due - surroundings.now().milliseconds))
                group.addTask { try await surroundings.clock.sleep(for: wait) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Lets go of images that nobody needs any more, when no scan runs that could need them.
    private func discardUnneeded() async throws {
        guard await room.close() else { return }
        do {
            let needed = try await database.read { try $0.neededDigests() }
            try await images.keepOnly(needed.compactMap { try? Digest($0) })
        } catch is CancellationError {
            await room.open()
            throw CancellationError()
        } catch {
            logger.warning("images that nobody needs could not be removed", metadata: ["error": "\(error)"])
        }
        await room.open()
    }

    /// Takes the scan that is due and carries it to its end; returns `false` when none is due.
    func scanNext() async throws -> Bool {
        await room.enter()
        let result: Result<Bool, any Error>
        do { result = .success(try await takeAndScan()) } catch { result = .failure(error) }
        await room.leave()
        return try result.get()
    }

    private func takeAndScan() async throws -> Bool {
        let now = surroundings.now().milliseconds
        let taken = try await database.write { writer -> (scan: ScanRow, submission: Submission)? in
            guard let scan = try writer.takeDueScan(at: now) else { return nil }
            return (scan, try Submission.find(scan.submissionID, in: writer))
        }
        guard let taken else { return false }
        var content: StoredContent?
        let outcome = await outcome(of: taken.submission, digest: taken.scan.digest, content: &content)
        // Asked to stop: the scan stays "running" and is queued again by the next start.
        try Task.checkCancellation()
        log(outcome, of: taken.scan)
        guard try await store(outcome, of: taken.scan) else { return true }
        if case .finished(let judgement) = outcome, let content {
            let reference = try ImageReference(parsing: taken.submission.fields.containerImage ?? "")
            try await bills.publish(judgement, of: content, in: reference, scanID: taken.scan.id)
        }
        return true
    }

    private func log(_ outcome: ScanOutcome, of scan: ScanRow) {
        var metadata: Logger.Metadata = [
            "submission.id": "\(scan.submissionID)", "image.digest": "\(scan.digest)", "scan.purpose": "\(scan.purpose)",
        ]
        switch outcome {
        case .finished(let judgement):
            metadata["scan.verdict"] = "\(judgement.verdict.rawValue)"
            logger.info("scan finished", metadata: metadata)
            for warning in judgement.operatorWarnings { logger.warning("\(warning)", metadata: metadata) }
        case .notScannable(let failure), .couldNotScan(let failure, _):
            metadata["scan.failure"] = "\(failure["code"]?.string ?? "")"
            logger.warning("scan not finished", metadata: metadata)
        }
    }

    private func outcome(of submission: Submission, digest text: String, content: inout StoredContent?) async -> ScanOutcome {
        do {
            let reference = try ImageReference(parsing: submission.fields.containerImage ?? "")
            let fetched = try await images.fetch(reference, digest: try Digest(text))
            content = fetched
            return .finished(try await judge.judge(fetched, as: submission.fields.runtimeType.flatMap(RuntimeType.init)))
        } catch {
            let outcome = ScanOutcome(error: error)
            if outcome.isMistakeOfOurs {
                logger.error("scan failed unexpectedly", metadata: ["submission.id": "\(submission.row.id)", "error": "\(error)"])
            }
            if let detail = (error as? ScanFailure)?.detail {
                logger.warning("a scanner failed", metadata: ["submission.id": "\(submission.row.id)", "scanner.said": "\(detail)"])
            }
            return outcome
        }
    }

    /// - Returns: whether anybody still waited for it.
    private func store(_ outcome: ScanOutcome, of scan: ScanRow) async throws -> Bool {
        let now = surroundings.now()
        let result = outcome.result(tries: scan.tries, at: now)
        let documents = try outcome.documentRows()
        return try await moves.commit { writer -> Bool in
            guard let row = try writer.submission(id: scan.submissionID), row.imageDigest == scan.digest,
                SubmissionState(rawValue: row.state).map({ Self.isAwaited(scan.purpose, in: $0) }) == true
            else {
                // Withdrawn meanwhile, perhaps deleted: then nobody waits for the result.
                try writer.finishScan(id: scan.id, result.stopped)
                return false
            }
            try writer.finishScan(id: scan.id, result)
            for document in documents {
                try writer.insert(document, submissionID: row.id, scanID: scan.id, digest: scan.digest)
            }
            try writer.pruneScanDocuments(submissionID: row.id, scansKept: Self.documentedScansMax)
            if case .finished(let judgement) = outcome { try accept(judgement, of: scan, row, at: now, in: writer) }
            guard scan.purpose == ScanPurpose.review.rawValue, let words = outcome.words else { return true }
            let act = SubmissionMoves.Act(actorID: "system", at: now, note: words)
            try moves.tell(
                .submissionScanned, of: try Submission.find(row.id, in: writer), act, facts: ["verdict": .optional(result.verdict)], in: writer)
            return true
        }
    }

    /// What follows from a judgement, in the transaction that stores it.
    private func accept(
        _ judgement: Judgement, of scan: ScanRow, _ row: SubmissionRow, at now: Timestamp, in writer: any SQLWriter
    ) throws {
        var row = row
        row.platforms = judgement.platforms.joined(separator: " ")
        row.updatedAt = now.milliseconds
        try writer.update(row)
        let submission = try Submission.find(row.id, in: writer)
        try Justifications.reopen(of: submission, where: judgement.findings, at: now, moves: moves, in: writer)
        if scan.purpose == ScanPurpose.rescan.rawValue {
            try consequences.apply(judgement.findings, to: submission, at: now, in: writer)
        }
    }

    /// Whether anybody still waits for a scan.
    private static func isAwaited(_ purpose: String, in state: SubmissionState) -> Bool {
        switch ScanPurpose(rawValue: purpose) {
        case .review: state == .pendingReview
        case .rescan: state == .published || state == .suspended
        case nil: false
        }
    }
}

/// Why a scan is made.
enum ScanPurpose: String, Sendable {
    /// A submission entered review.
    case review
    /// A published version is looked at again.
    case rescan
}

extension ScanResult {
    /// The same result, never tried again.
    var stopped: ScanResult {
        ScanResult(
            state: state, verdict: verdict, findings: findings, reports: reports, failure: failure, notes: notes, dueAt: Int.max,
            finishedAt: finishedAt)
    }
}

/// Keeps scans and the removal of images apart: several scans may run at once, the removal only alone.
actor ScanRoom {
    private var scans = 0
    private var isClosed = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Waits until the room is open, and counts a scan in it.
    func enter() async {
        while isClosed { await withCheckedContinuation { waiting.append($0) } }
        scans += 1
    }

    func leave() { scans -= 1 }

    /// Closes the room if nobody is in it.
    func close() -> Bool {
        guard scans == 0, !isClosed else { return false }
        isClosed = true
        return true
    }

    func open() {
        isClosed = false
        waiting.forEach { $0.resume() }
        waiting = []
    }
}
