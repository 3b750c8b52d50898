import Domain
import Fabric
import Foundation
import IslandLink
import JSON
import Logging
import Outbound
import Passwords
import Storage
import Synchronization
import TestSupport

@testable import Coordinator
@testable import OCI

/// A whole coordinator in one process: a real database in a temporary folder, everything around it faked.
final class World: Sendable {
    let folder: String
    let database: SQLiteDatabase
    let bus = InProcessBus()
    let clock = ManualClock()
    let images = FakeImages()
    let layouts = FakeLayouts()
    let scanner = FakeScanner()
    let door = FakeDoor()
    let mailer = FakeMailer()
    let surroundings: Surroundings
    let accounts: Accounts
    let identities: PublisherIdentities
    let trust = FakeTrust()
    let signatures = FakeSignatures()
    let gate: SignatureGate
    let signingIdentities: SigningIdentities
    let revocations: DigestRevocations
    let certifications: Certifications
    let notifications: Notifications
    let courier: Courier
    let moves: SubmissionMoves
    let moderation: Moderation
    let audit: Audit
    let publishing: Publishing
    let review: Review
    let registry: Registry
    let ledger: Ledger
    let jobs: Jobs
    let islands: Islands
    let billing = FakeBilling()
    /// Where artifacts lie; images are only names.
    let store: ContentStore
    let pipeline: ScanPipeline
    let rescans: Rescans
    let justifications: Justifications
    let scanDocuments: ScanDocuments
    let dispatcher: Dispatcher
    let publisher: Principal
    let reviewer: Principal
    let consumer: Principal
    let administrator: Principal
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// What the Consumer has to begin with.
    static let credits = 1_000_000_000

    /// 2026-01-01T00:00:00Z.
    static let start = 1_767_225_600_000

    init() async throws {
        folder = try makeTemporaryFolder("archipelago-coordinator")
        store = try ContentStore(root: folder + "/store")
        database = try SQLiteDatabase(path: folder + "/coordinator.sqlite")
        let random = Mutex(SplitMix64(state: 1))
        let clock = clock
        surroundings = Surroundings(
            now: { Timestamp(milliseconds: Self.start) + clock.now.offset },
            randomBytes: { count in random.withLock { random in (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } } },
            clock: clock)
        accounts = Accounts(database: database, passwords: try PasswordHasher(cost: .least), surroundings: surroundings)
        let announcer = Announcer(bus: bus, surroundings: surroundings, sendsMail: true)
        moves = SubmissionMoves(database: database, announcer: announcer)
        identities = PublisherIdentities(database: database, door: door, announcer: announcer, surroundings: surroundings)
        gate = SignatureGate(database: database, source: signatures, trust: trust.network, surroundings: surroundings)
        dispatcher = Dispatcher(database: database, bus: bus, surroundings: surroundings)
        signingIdentities = SigningIdentities(moves: moves, gate: gate, trust: trust.network, dispatcher: dispatcher, surroundings: surroundings)
        revocations = DigestRevocations(moves: moves, dispatcher: dispatcher, surroundings: surroundings)
        certifications = Certifications(moves: moves, gate: gate, surroundings: surroundings)
        notifications = Notifications(database: database, policy: door.policy, bus: bus, surroundings: surroundings)
        courier = Courier(
            database: database, door: door, mailer: mailer, mailFrom: "network@example.com", bus: bus, surroundings: surroundings,
            logger: logger)
        moderation = Moderation(moves: moves, surroundings: surroundings)
        audit = Audit(database: database)
        publishing = Publishing(moves: moves, images: images, approved: ApprovedRegistries(), gate: gate, bus: bus, surroundings: surroundings)
        review = Review(moves: moves, images: images, gate: gate, surroundings: surroundings)
        registry = Registry(database: database)
        jobs = Jobs(database: database, bus: bus, surroundings: surroundings)
        islands = Islands(database: database, surroundings: surroundings)
        pipeline = Self.pipeline(moves, images, layouts, [scanner], billing, bus, surroundings, logger, store)
        rescans = Rescans(moves: moves, gate: gate, policy: RescanPolicy(), bus: bus, surroundings: surroundings)
        justifications = Justifications(moves: moves, surroundings: surroundings)
        scanDocuments = ScanDocuments(database: database)
        publisher = try await Self.person("publisher", [], [.read, .write], accounts)
        reviewer = try await Self.person("reviewer", [.reviewer], [.read, .review], accounts)
        consumer = try await Self.person("consumer", [], [.read, .write], accounts)
        administrator = try await Self.person("administrator", [.admin], [.read, .write, .review, .admin], accounts)
        ledger = Ledger(database: database, surroundings: surroundings)
        // Without the ledger's own entry in the audit log, whose numbers tests count.
        let (consumerID, now) = (consumer.accountID, surroundings.now())
        try await database.write { try $0.book(.grant(Self.credits, to: consumerID), by: "system", at: now) }
    }

    private static func pipeline(
        _ moves: SubmissionMoves, _ images: FakeImages, _ layouts: FakeLayouts, _ scanners: [FakeScanner], _ billing: FakeBilling,
        _ bus: InProcessBus, _ surroundings: Surroundings, _ logger: Logger, _ store: ContentStore
    ) -> ScanPipeline {
        let judge = ContentJudge(
            images: ImageJudge(layouts: layouts, scanners: scanners, billing: billing, policy: ScanPolicy(), now: surroundings.now),
            artifacts: ArtifactJudge(store: store, now: surroundings.now))
        return ScanPipeline(
            moves: moves, images: images, judge: judge, rescans: RescanPolicy(), scansMax: 1, bus: bus, surroundings: surroundings, logger: logger)
    }

    /// A pipeline with these scanners in place of the usual one.
    func pipeline(_ scanners: FakeScanner...) -> ScanPipeline {
        Self.pipeline(moves, images, layouts, scanners, billing, bus, surroundings, logger, store)
    }

    private static func person(_ name: String, _ roles: Set<Role>, _ scopes: Set<Scope>, _ accounts: Accounts) async throws -> Principal {
        Principal(
            accountID: try await accounts.open(
                name: name, email: try EmailAddress("\(name)@example.com"), standing: .community, roles: roles), scopes: scopes)
    }

    /// Another reviewer.
    func reviewing(_ name: String) async throws -> Principal { try await Self.person(name, [.reviewer], [.read, .review], accounts) }

    /// Another account that may publish.
    func person(_ name: String, standing: PublisherStanding = .community) async throws -> Principal {
        Principal(
            accountID: try await accounts.open(
                name: name, email: try EmailAddress("\(name)@example.com"), standing: standing, roles: []), scopes: [.read, .write])
    }

    deinit {
        // What stays is only a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    var now: Int { surroundings.now().milliseconds }

    // MARK: Publishing

    /// The documentation's example under a slug and a version; its image is pushed.
    func fields(_ slug: String, version: String = "v1.0.0") -> SubmissionFields {
        var fields = SubmissionFields()
        fields.name = "Cargo \(slug)"
        fields.slug = slug
        fields.summary = "Does what \(slug) does."
        fields.runtimeType = "container"
        fields.containerImage = "ghcr.io/archipelag-io/\(slug):\(version)"
        fields.inputSchema = #"{"type":"object"}"#
        fields.outputSchema = #"{"type":"object"}"#
        fields.pricePerJob = 5
        fields.pricePerToken = 2
        fields.pricePerSecond = 3
        images.push("ghcr.io/archipelag-io/\(slug):\(version)")
        return fields
    }

    func draft(_ slug: String, version: String = "v1.0.0", by principal: Principal? = nil) async throws -> Submission {
        try await publishing.create(fields(slug, version: version), problems: [], by: principal ?? publisher)
    }

    /// A submission that waits for review, not yet scanned.
    func submitted(_ slug: String, version: String = "v1.0.0", by principal: Principal? = nil) async throws -> Submission {
        let draft = try await draft(slug, version: version, by: principal)
        return try await publishing.transition(draft.row.id, to: .pendingReview, by: principal ?? publisher)
    }

    /// A submission that is approved at a level, scanned clean.
    func approved(_ slug: String, version: String = "v1.0.0", level: TrustLevel = .basic) async throws -> Submission {
        let submission = try await submitted(slug, version: version)
        while try await pipeline.scanNext() {}
        return try await review.approve(submission.row.id, Self.approval(level: level), by: reviewer)
    }

    @discardableResult
    func published(_ slug: String, version: String = "v1.0.0", level: TrustLevel = .basic) async throws -> Submission {
        let submission = try await approved(slug, version: version, level: level)
        return try await publishing.transition(submission.row.id, to: .published, by: publisher)
    }

    /// The registry's answer to a filter.
    func found(_ filter: RegistryFilter = RegistryFilter()) async throws -> Listing<Registry.Hit> {
        try await registry.search(filter, sort: nil, withFacets: false, page: Page(), for: consumer).listing
    }

    static func approval(
        level: TrustLevel = .basic, checked: Set<ChecklistItem> = Set(ChecklistItem.allCases), acceptsMedium: Bool = false, note: String = "",
        justifications: Set<Int>? = nil
    ) -> ApprovalRequest {
        ApprovalRequest(trustLevel: level, checked: checked, acceptsMedium: acceptsMedium, note: note, justifications: justifications)
    }

    // MARK: Jobs

    func submit(
        _ slug: String, input: JSONObject = ["prompt": "Hello"], maxCredits: Int? = nil, priority: Int = 50, timeoutSeconds: Int? = nil
    ) async throws -> Job {
        var body: JSONObject = ["workload": .string(slug), "input": .object(input), "priority": .int(priority)]
        if let timeoutSeconds { body["timeout_seconds"] = .int(timeoutSeconds) }
        if let maxCredits { body["max_credits"] = .int(maxCredits) }
        return try await jobs.submit(Jobs.Request(body), by: consumer)
    }

    func job(_ id: String) async throws -> Job { try await jobs.job(id, for: consumer) }

    /// The transcript as parsed objects, from a record on, until the terminal one.
    func transcript(_ job: Job, from seq: Int = 1) async throws -> [JSONObject] {
        var records: [JSONObject] = []
        for try await page in jobs.transcript(of: job, from: seq) {
            for record in page { records.append(try JSONValue(parsing: record.body).object ?? JSONObject()) }
        }
        return records
    }

    /// What is stored of a transcript now.
    func stored(_ job: Job) async throws -> [JSONObject] {
        let id = job.row.id
        return try await database.read { try $0.records(jobID: id, from: 1, limit: 10_000, bytesMax: 64 << 20) }
            .map { try JSONValue(parsing: $0.body).object ?? JSONObject() }
    }

    /// Returns once a job is in a state; its topic says when to look.
    func job(_ id: String, reaches state: JobState) async throws -> Job {
        let signals = bus.signals(on: Topics.job(id))
        while true {
            let job = try await job(id)
            if job.state == state { return job }
            for await _ in signals { break }
        }
    }

    /// What Islands said too late of a job, oldest first.
    func lateResults(_ job: Job) async throws -> [(attempt: Int, island: String, what: String)] {
        let id = job.row.id
        return try await database.read { reader in
            try reader.query("SELECT attempt, island_id, what FROM late_results WHERE job_id = ? ORDER BY id", [.text(id)]).map {
                (try $0.int("attempt"), try $0.text("island_id"), try $0.text("what"))
            }
        }
    }

    // MARK: Islands

    func registerIsland(_ name: String) async throws -> IslandRow {
        try await islands.register(name: name, by: publisher).island
    }

    /// Runs the dispatcher beside `body`.
    func dispatching(_ dispatcher: Dispatcher? = nil, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let dispatcher = dispatcher ?? self.dispatcher
        try await beside({ try await dispatcher.run() }, body)
    }

    /// Runs a service beside `body` and ends it when `body` ends.
    func beside(_ service: @escaping @Sendable () async throws -> Void, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { try await service() } catch is CancellationError {}
                return false
            }
            group.addTask {
                try await body()
                return true
            }
            defer { group.cancelAll() }
            while let isBody = try await group.next() { if isBody { return } }
        }
    }
}

/// Runs `body` and returns the code of the ``ServiceError`` that it throws, or what else it did.
func refusal(_ body: () async throws -> some Sendable) async -> String {
    do {
        _ = try await body()
        return "no refusal"
    } catch let error as ServiceError {
        return error.code
    } catch {
        return "\(error)"
    }
}

/// Runs `body` and returns the ``ServiceError`` that it throws.
func serviceError(_ body: () async throws -> some Sendable) async -> ServiceError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? ServiceError
    }
}
