import Domain
import Storage
import Synchronization

/// What a job's version says about its money and its limits. It never changes: a published version is fixed.
struct JobTerms: Sendable, Hashable {
    let prices: Prices
    /// The Island's percent.
    let revenueShare: Int
    /// Who published it.
    let publisherID: String
    /// The limits of its trust level.
    let limits: LevelLimits

    init(_ submission: Submission) throws {
        guard let prices = submission.fields.prices else {
            throw StorageError(.unexpectedShape, "submission \(submission.row.id) has no price")
        }
        self.prices = prices
        revenueShare = submission.fields.revenueShare ?? SubmissionDefaults.revenueShare
        publisherID = submission.row.publisherID
        limits = (submission.trustLevel ?? .untrusted).limits
    }
}

/// The terms of versions whose jobs run: every message of an Island asks for them, and reading a version means parsing its schemas.
final class JobTermsCache: Sendable {
    /// Chosen: more versions than have jobs at one time; some hundred bytes each.
    private static let keptMax = 4096

    private let kept = Mutex<[Int: JobTerms]>([:])

    /// The terms of a published version.
    func terms(of submissionID: Int, in reader: any SQLReader) throws -> JobTerms {
        if let known = kept.withLock({ $0[submissionID] }) { return known }
        let terms = try JobTerms(Submission.find(submissionID, in: reader))
        kept.withLock { kept in
            if kept.count >= Self.keptMax { kept = [:] }
            kept[submissionID] = terms
        }
        return terms
    }
}
