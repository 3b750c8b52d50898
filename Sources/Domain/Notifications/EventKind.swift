/// What a publisher is told of, in the inbox, by webhook and by e-mail.
public enum EventKind: String, Sendable, Hashable, CaseIterable {
    case submissionPendingReview = "submission.pending_review"
    case submissionScanned = "submission.scanned"
    case submissionApproved = "submission.approved"
    case submissionRejected = "submission.rejected"
    case submissionPublished = "submission.published"
    case submissionSuperseded = "submission.superseded"
    case submissionSuspended = "submission.suspended"
    case submissionUnsuspended = "submission.unsuspended"
    case submissionTagMoved = "submission.tag_moved"
    case submissionFlagged = "submission.flagged"
    case submissionCleared = "submission.cleared"
    case submissionJustificationReopened = "submission.justification_reopened"
    case certificationGranted = "certification.granted"
    case certificationRejected = "certification.rejected"
    case certificationLost = "certification.lost"
    case identityVerified = "identity.verified"
    case identityRevoked = "identity.revoked"

    /// The event that an action on a submission is told as; `nil` for what only the publisher's own hand does to a draft.
    public init?(_ action: SubmissionAction) {
        switch action {
        case .submit: self = .submissionPendingReview
        case .approve: self = .submissionApproved
        case .reject: self = .submissionRejected
        case .publish: self = .submissionPublished
        case .supersede: self = .submissionSuperseded
        case .suspend: self = .submissionSuspended
        case .unsuspend: self = .submissionUnsuspended
        case .edit, .delete, .withdraw, .resubmit: return nil
        }
    }
}
