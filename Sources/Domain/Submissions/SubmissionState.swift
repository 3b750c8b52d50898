/// Where a submission stands on its way to the registry.
public enum SubmissionState: String, Sendable, Hashable, CaseIterable {
    case draft
    case pendingReview = "pending_review"
    case approved, rejected, published, superseded, suspended

    /// Whether the submission counts against its publisher's limit of active Cargos.
    public var isActive: Bool {
        switch self {
        case .pendingReview, .approved, .published, .suspended: true
        case .draft, .rejected, .superseded: false
        }
    }

    /// The state after an action, or `nil` when the action is not allowed in this state.
    ///
    /// Source: the product's documentation, "Submission States"; withdraw, supersede and suspend are chosen (DESIGN §4.2).
    public func after(_ action: SubmissionAction) -> SubmissionState? {
        switch (self, action) {
        case (.draft, .edit): .draft
        case (.draft, .submit): .pendingReview
        case (.pendingReview, .withdraw): .draft
        case (.pendingReview, .approve): .approved
        case (.pendingReview, .reject): .rejected
        case (.approved, .publish): .published
        case (.published, .supersede), (.suspended, .supersede): .superseded
        case (.published, .suspend): .suspended
        case (.suspended, .unsuspend): .published
        default: nil
        }
    }

    /// The actions that are allowed in this state, whoever asks.
    public var allowedActions: [SubmissionAction] { SubmissionAction.allCases.filter(allows) }

    /// Whether an action is allowed in this state. Deleting leaves no state, and resubmitting makes another submission, so
    /// ``after(_:)`` knows neither.
    public func allows(_ action: SubmissionAction) -> Bool {
        switch action {
        case .delete: self == .draft
        case .resubmit: self == .rejected
        case .edit, .submit, .withdraw, .approve, .reject, .publish, .supersede, .suspend, .unsuspend: after(action) != nil
        }
    }
}

/// Something that can be done with a submission.
public enum SubmissionAction: String, Sendable, Hashable, CaseIterable {
    case edit, delete, submit, withdraw, approve, reject, publish, resubmit, supersede, suspend, unsuspend

    /// Who may do it.
    public var doer: SubmissionDoer {
        switch self {
        case .edit, .delete, .submit, .withdraw, .publish, .resubmit: .publisher
        case .approve, .reject: .reviewer
        case .suspend, .unsuspend: .administrator
        case .supersede: .network
        }
    }

    /// Whether it brings a version nearer to being run, which nothing may of an image that was revoked.
    public var leadsToUse: Bool {
        switch self {
        case .submit, .approve, .publish, .unsuspend: true
        case .edit, .delete, .withdraw, .reject, .resubmit, .supersede, .suspend: false
        }
    }

    /// The action that a publisher asks for by naming the wanted state, or `nil` when the state cannot be asked for.
    public init?(publisherAsksFor state: SubmissionState) {
        switch state {
        case .pendingReview: self = .submit
        case .draft: self = .withdraw
        case .published: self = .publish
        case .approved, .rejected, .superseded, .suspended: return nil
        }
    }
}

/// Who may act on a submission.
public enum SubmissionDoer: String, Sendable, Hashable, CaseIterable {
    /// The account that submitted it.
    case publisher
    /// A reviewer who is not its publisher.
    case reviewer
    case administrator
    /// The network itself, when another version is published.
    case network
}
