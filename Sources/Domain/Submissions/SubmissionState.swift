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

    /// The actions that are allowed in this state.
    public var allowedActions: [SubmissionAction] {
        SubmissionAction.allCases.filter { after($0) != nil || (self == .draft && $0 == .delete) || (self == .rejected && $0 == .resubmit) }
    }
}

/// Something that can be done with a submission.
public enum SubmissionAction: String, Sendable, Hashable, CaseIterable {
    case edit, delete, submit, withdraw, approve, reject, publish, resubmit, supersede, suspend, unsuspend

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
