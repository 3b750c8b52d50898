public import Domain
public import Fabric
import Storage

/// Scans published versions again, each week, spread over the week; and suspends at the end of the grace what was not mended.
///
/// The plan stands in the database: a restart goes on with it, and after a long downtime what is overdue is scanned oldest first.
public struct Rescans: Sendable {
    private let database: any Database
    private let moves: SubmissionMoves
    private let gate: SignatureGate
    private let policy: RescanPolicy
    private let bus: any SignalBus
    private let surroundings: Surroundings

    /// The rescans of a database's registry.
    public init(moves: SubmissionMoves, gate: SignatureGate, policy: RescanPolicy, bus: any SignalBus, surroundings: Surroundings) {
        database = moves.database
        self.moves = moves
        self.gate = gate
        self.policy = policy
        self.bus = bus
        self.surroundings = surroundings
    }

    /// Versions planned or queued in one transaction. Chosen: short enough not to hold others up.
    private static let batchMax = 500
    /// The longest sleep. Chosen: a clock that was moved is noticed within it.
    private static let sleepMax = Duration.seconds(300)

    /// What stands in the plan.
    public struct Outlook: Sendable, Hashable {
        /// Versions that are scanned again.
        public let planned: Int
        /// The moment of the next; `nil` when there is none.
        public let nextAt: Timestamp?
        /// Versions that were made due just now.
        public let madeDue: Int
    }

    /// Works until the task is cancelled.
    public func run() async throws {
        while !Task.isCancelled {
            let signals = bus.signals(on: Topics.rescans)
            while try await step() {}
            try await wait(signals)
        }
    }

    /// Plans, queues and suspends what is due now; returns whether there may be more.
    func step() async throws -> Bool {
        let now = surroundings.now()
        let unsigned = try await unsigned(at: now)
        let (isFull, hasQueued) = try await moves.commit { writer in
            try writer.forgetRescansOfReplaced()
            let unplanned = try writer.submissionsWithoutRescan(limit: Self.batchMax)
            for row in unplanned {
                try writer.planRescan(
                    submissionID: row.id, dueAt: policy.nextMoment(of: row.id, after: now.milliseconds), lastAt: nil)
            }
            let far = try writer.rescansBeyond((now + policy.interval).milliseconds, limit: Self.batchMax)
            // The clock was moved back, or the interval made shorter.
            for row in far {
                try writer.planRescan(
                    submissionID: row.submissionID, dueAt: policy.nextMoment(of: row.submissionID, after: now.milliseconds), lastAt: nil)
            }
            let due = try writer.dueRescans(at: now.milliseconds, limit: Self.batchMax)
            for rescan in due {
                if let why = unsigned[rescan.submissionID] {
                    let act = SubmissionMoves.Act(actorID: "system", at: now, note: "a rescan found no valid signature: \(why)")
                    try moves.loseSignature(try Submission.find(rescan.submissionID, in: writer), act, in: writer)
                }
                try queue(rescan, at: now, in: writer)
            }
            for grace in try writer.endedGraces(at: now.milliseconds) {
                try RescanConsequences(moves: moves, policy: policy).suspend(grace, at: now, in: writer)
            }
            return (unplanned.count == Self.batchMax || due.count == Self.batchMax || far.count == Self.batchMax, !due.isEmpty)
        }
        if hasQueued { bus.signal(Topics.scans) }
        return isFull
    }

    /// Versions above level 1 that are due and whose signature is not beside their image any more, by their number, with the reason. An Island that
    /// comes new to one could not run it.
    private func unsigned(at now: Timestamp) async throws -> [Int: String] {
        let due = try await database.read { reader in
            try reader.dueRescans(at: now.milliseconds, limit: Self.batchMax).map { try Submission.find($0.submissionID, in: reader) }
                .filter { $0.trustLevel?.requiresSignature == true }
        }
        var unsigned: [Int: String] = [:]
        for submission in due {
            do { _ = try await gate.signature(of: submission) } catch let error as ServiceError {
                // A registry that does not answer is no word against it.
                if error.kind == .conflict { unsigned[submission.row.id] = error.message }
            }
        }
        return unsigned
    }

    /// Queues a scan, unless one waits already, and plans the next.
    private func queue(_ rescan: RescanRow, at now: Timestamp, in writer: any SQLWriter) throws {
        let next = policy.nextMoment(of: rescan.submissionID, after: now.milliseconds)
        try writer.planRescan(submissionID: rescan.submissionID, dueAt: next, lastAt: now.milliseconds)
        guard let digest = try writer.submission(id: rescan.submissionID)?.imageDigest,
            try !writer.hasOpenRescan(submissionID: rescan.submissionID)
        else { return }
        try writer.insertScan(
            submissionID: rescan.submissionID, digest: digest, purpose: ScanPurpose.rescan.rawValue, at: now.milliseconds)
    }

    private func wait(_ signals: SignalListener) async throws {
        let (due, graceEnd) = try await database.read { (try $0.rescanOutlook().nextDue, try $0.nextGraceEnd()) }
        let next = min(due ?? Int.max, graceEnd ?? Int.max)
        let sleep = next == Int.max ? Self.sleepMax : min(Self.sleepMax, .milliseconds(max(0, next - surroundings.now().milliseconds)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            group.addTask { try await surroundings.clock.sleep(for: sleep) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Makes the rescan of one version, or of all, due at once; for administrators.
    ///
    /// - Parameter slug: the Cargo; `nil` for all.
    public func rescanNow(slug: String?, by principal: Principal) async throws -> Outlook {
        try principal.require(.admin)
        let now = surroundings.now()
        let outlook = try await database.write { writer -> Outlook in
            var madeDue: Int
            if let slug {
                let cargo = try Registry.cargo(slug: slug, in: writer)
                try writer.planRescan(submissionID: cargo.submission.row.id, dueAt: now.milliseconds, lastAt: nil)
                madeDue = 1
            } else {
                madeDue = 0
                while true {
                    let unplanned = try writer.submissionsWithoutRescan(limit: Self.batchMax)
                    if unplanned.isEmpty { break }
                    for row in unplanned { try writer.planRescan(submissionID: row.id, dueAt: now.milliseconds, lastAt: nil) }
                    madeDue += unplanned.count
                }
                madeDue += try writer.makeAllRescansDue(at: now.milliseconds)
            }
            try writer.audit("rescan.now", slug.map { "workload/\($0)" } ?? "registry", by: principal.accountID, at: now)
            let (count, next) = try writer.rescanOutlook()
            return Outlook(planned: count, nextAt: next.map(Timestamp.init(milliseconds:)), madeDue: madeDue)
        }
        bus.signal(Topics.rescans)
        return outlook
    }
}
