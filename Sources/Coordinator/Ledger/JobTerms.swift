import Domain
import Storage
import Synchronization

/// What jobs go by of the version that they run. Only its trust level can change once it is published.
struct JobTerms: Sendable, Hashable {
    let submissionID: Int
    let workloadID: Int
    let slug: String
    let version: String
    /// The schema that inputs must fit, as JSON text; `nil` for none.
    let inputSchema: String?
    let prices: Prices
    /// The Island's percent.
    let revenueShare: Int
    /// Who published it.
    let publisherID: String
    let level: TrustLevel
    /// The limits of its trust level.
    var limits: LevelLimits { level.limits }

    init(_ submission: Submission) throws {
        guard let prices = submission.fields.prices else {
            throw StorageError(.unexpectedShape, "submission \(submission.row.id) has no price")
        }
        submissionID = submission.row.id
        workloadID = submission.row.workloadID
        slug = submission.slug
        version = submission.row.version
        inputSchema = submission.fields.inputSchema
        self.prices = prices
        revenueShare = submission.fields.revenueShare ?? SubmissionDefaults.revenueShare
        publisherID = submission.row.publisherID
        level = submission.trustLevel ?? .untrusted
    }
}

/// The terms of versions whose jobs run: every message of an Island asks for them, and reading a version means parsing its schemas.
final class JobTermsCache: Sendable {
    /// Chosen: as many versions as most jobs run at one time; some hundred bytes each, and a schema.
    private static let keptMax = 1024

    private struct Kept {
        var terms: [Int: JobTerms] = [:]
        /// The version that a slug last stood for.
        var offered: [String: Int] = [:]
    }

    private let kept = Mutex(Kept())

    /// The terms of a published version.
    func terms(of submissionID: Int, in reader: any SQLReader) throws -> JobTerms {
        if let known = kept.withLock({ $0.terms[submissionID] }) { return known }
        let terms = try JobTerms(Submission.find(submissionID, in: reader))
        kept.withLock { kept in
            if kept.terms.count >= Self.keptMax { kept = Kept() }
            kept.terms[submissionID] = terms
        }
        return terms
    }

    /// The terms of the version that a slug stands for now; not inside a write, which may yet come to nothing.
    ///
    /// - Throws: `not_found`; `conflict` (`cargo_suspended`) while the Cargo is suspended.
    func offered(_ slug: String, in reader: any SQLReader) throws -> JobTerms {
        let published = try Registry.publishedSubmission(slug: slug, in: reader)
        var terms = try terms(of: published.id, in: reader)
        if terms.level != published.level {
            forget(published.id)
            terms = try self.terms(of: published.id, in: reader)
        }
        kept.withLock { $0.offered[slug] = $0.terms[terms.submissionID] == nil ? nil : terms.submissionID }
        return terms
    }

    /// Lets the next who asks for a version's terms look: its trust level has changed.
    func forget(_ submissionID: Int) { kept.withLock { $0.terms[submissionID] = nil } }

    /// Lets the next who asks for a slug's version look.
    func forgetOffer(_ slug: String) { kept.withLock { $0.offered[slug] = nil } }

    /// The terms of the version that a slug stood for when it was last asked; `nil` if nobody asked.
    func lastOffered(_ slug: String) -> JobTerms? { kept.withLock { kept in kept.offered[slug].flatMap { kept.terms[$0] } } }
}
