import Domain
import JSON
import Storage
import Synchronization

/// Conversations with Cargos: a chat completion is a job whose tokens are the answer.
public struct Chat: Sendable {
    private let jobs: Jobs
    private let dispatcher: Dispatcher
    private let inputs = ChatInputs()

    /// The use cases beside those of jobs.
    public init(jobs: Jobs, dispatcher: Dispatcher) {
        self.jobs = jobs
        self.dispatcher = dispatcher
    }

    /// A Cargo that takes conversations.
    public struct Model: Sendable, Hashable {
        /// Its slug.
        public let slug: String
        /// Who publishes it.
        public let publisherID: String
        /// When its version was published, in milliseconds since 1970 UTC.
        public let publishedAt: Int
    }

    /// Every published Cargo that takes conversations, in the order of their slugs.
    public func models(for principal: Principal) async throws -> [Model] {
        try principal.require(.read)
        let inputs = inputs
        return try await jobs.database.read { reader in
            try reader.publishedSubmissionIDs().compactMap { id -> Model? in
                if inputs.isKnownToBeNone(id) { return nil }
                let submission = try Submission.find(id, in: reader)
                guard inputs.input(of: submission) != nil else { return nil }
                return Model(slug: submission.slug, publisherID: submission.row.publisherID, publishedAt: submission.row.publishedAt ?? 0)
            }.sorted { $0.slug < $1.slug }
        }
    }

    /// Sends the job of a chat completion.
    ///
    /// - Throws: as ``Jobs/submit(_:key:by:)`` does; `invalid` for a Cargo that takes no conversations.
    public func begin(_ request: ChatRequest, key: IdempotencyKey? = nil, by principal: Principal) async throws -> Job {
        try principal.require(.write)
        // Who sends it also waits for its answer.
        try principal.require(.read)
        let submission = try await jobs.database.read { try Registry.published(slug: request.model, in: $0).submission }
        guard let input = inputs.input(of: submission) else {
            throw ServiceError.invalid([
                Problem("/model", "takes no conversations: its input_schema has neither messages nor prompt; see GET /models for those that do")
            ])
        }
        let body: JSONObject = ["workload": .string(request.model), "input": .object(input.object(for: request))]
        let job = try await jobs.submit(Jobs.Request(body), key: key, by: principal)
        // One that was asked for before may have been erased since.
        return key == nil ? job : try await jobs.jobWithTranscript(job.row.id, for: principal)
    }

    /// What came of a chat completion.
    public struct Completion: Sendable, Hashable {
        /// The job, over.
        public let job: Job
        /// The answer.
        public let content: String
        /// Whether it ends because it was long enough.
        public let isCutOff: Bool
    }

    /// Waits for the end of a chat completion.
    ///
    /// - Throws: ``Job/chatFailure(tokensMax:)`` for a job that did not end well.
    public func completion(of job: Job, _ request: ChatRequest, for principal: Principal) async throws -> Completion {
        var answer = ChatAnswer(tokensMax: request.tokensMax)
        var content = ""
        for try await page in jobs.transcript(of: job, from: 1) {
            for record in page {
                // A new attempt begins anew, as the output of a job does.
                if answer.begins(with: record) { content = "" }
                content += answer.piece(of: record) ?? ""
            }
            if content.utf8.count > Jobs.outputBytesMax { throw jobs.outputTooLarge(job) }
        }
        try Task.checkCancellation()
        let over = try await over(job, request, for: principal)
        if !answer.hasTokens { content = try await jobs.output(of: over, for: principal) ?? "" }
        return Completion(job: over, content: content, isCutOff: over.isCutOff(tokensMax: request.tokensMax))
    }

    /// The job of a completion whose transcript has ended.
    ///
    /// - Throws: ``Job/chatFailure(tokensMax:)``; `CancellationError` where it is not over, because this process ends.
    public func over(_ job: Job, _ request: ChatRequest, for principal: Principal) async throws -> Job {
        let over = try await jobs.job(job.row.id, for: principal)
        guard over.state.isTerminal else { throw CancellationError() }
        if let failure = over.chatFailure(tokensMax: request.tokensMax) { throw failure }
        return over
    }

    /// Ends the job of a completion that nobody waits for any more.
    public func abandon(_ job: Job, by principal: Principal) async {
        // One that is over already is what is wanted; any other failure leaves a job that ends by its timeout.
        _ = try? await dispatcher.cancel(job.row.id, by: principal)
    }

    /// What is written for a chat completion, piece by piece.
    ///
    /// - Parameter pulse: as of ``Jobs/transcript(of:from:pulse:)``.
    public func pieces(of job: Job, pulse: Duration) -> TranscriptFeed { jobs.transcript(of: job, from: 1, pulse: pulse) }
}

extension Job {
    /// Whether an answer ends because it was long enough. A Cargo that does not heed `max_tokens` may have written more, or been stopped at its hold.
    public func isCutOff(tokensMax: Int?) -> Bool { tokensMax.map { row.tokens >= $0 } ?? false }

    /// A job that did not end well, as an answer to who waited for it; `nil` for any other, and for one that was stopped when its answer was as long as
    /// it may be.
    func chatFailure(tokensMax: Int?) -> ServiceError? {
        guard let failure, !(failure.code == JobCharge.holdReachedCode && isCutOff(tokensMax: tokensMax)) else { return nil }
        // What another try may mend is said to be unavailable, which clients try again by themselves.
        let kind: ServiceError.Kind = failure.fault.isRetried ? .unavailable : .invalid
        return ServiceError(
            kind, code: failure.code, failure.message, context: ["job_id": .string(row.id), "fault": .string(failure.fault.rawValue)])
    }
}

/// How published versions take conversations; a version never changes, so each is read once.
private final class ChatInputs: Sendable {
    /// Chosen: a hundred thousand Cargos are some megabytes.
    private static let keptMax = 100_000

    private let kept = Mutex<[Int: ChatInput?]>([:])

    func isKnownToBeNone(_ submissionID: Int) -> Bool { kept.withLock { $0[submissionID] == .some(.none) } }

    func input(of submission: Submission) -> ChatInput? {
        kept.withLock { kept in
            if let known = kept[submission.row.id] { return known }
            if kept.count >= Self.keptMax { kept = [:] }
            let input = ChatInput(schema: submission.fields.inputSchema)
            kept.updateValue(input, forKey: submission.row.id)
            return input
        }
    }
}
