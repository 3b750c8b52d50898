/// What was taken back of a Cargo's version that jobs run or wait for.
public enum JobWithdrawal: Sendable, Hashable, CaseIterable {
    /// Its signature: what runs at the level that needed it ends; what waits runs at the level that is left.
    case signature
    /// The image itself: nothing of it runs any more.
    case image

    /// How such jobs end.
    public var failure: JobFailure {
        switch self {
        case .signature:
            JobFailure(fault: .cargo, code: "signature_revoked", message: "The signature of the Cargo was taken back while it ran.")
        case .image: JobFailure(fault: .cargo, code: "digest_revoked", message: "The image of the Cargo was revoked.")
        }
    }

    /// Whether a job ends by it.
    ///
    /// - Parameter level: the trust level at which it was given to its Island; `nil` where that is not known.
    public func ends(_ state: JobState, placedAt level: TrustLevel?) -> Bool {
        guard states.contains(state) else { return false }
        return self == .image || (level?.requiresSignature ?? true)
    }

    /// The states in which jobs end by it.
    public var states: [JobState] {
        switch self {
        case .signature: [.queued, .running]
        case .image: [.pending, .queued, .running]
        }
    }
}
