/// What a Cargo needs for trust level 2. Source: the product's documentation, "Certification requirements".
public enum CertificationCondition: String, Sendable, Hashable, CaseIterable {
    case cleanScan = "clean_scan"
    case verifiedIdentity = "verified_identity"
    case signedImage = "signed_image"
    case successfulJobs = "successful_jobs"
    case reputation
}

/// One condition and how it stands.
public struct CertificationCheck: Sendable, Hashable {
    /// The condition.
    public let condition: CertificationCondition
    /// Whether it is met.
    public let isMet: Bool
    /// How it stands, or what is missing.
    public let message: String
}

/// What is known of a Cargo that may be certified.
public struct CertificationFacts: Sendable {
    /// Successful jobs at Community tier, at least. Source: as above.
    public static let successfulJobsMin = 100
    /// The reputation has to be above this. Source: as above.
    public static let reputationLimit = 0.8

    /// The newest scan of the published image; `nil` for none of this digest.
    public var scan: ScanState?
    /// Critical and high findings of it.
    public var blockingFindings: Int
    /// Whether it is known who the publisher is.
    public var isIdentityVerified: Bool
    /// Why the image does not count as signed; `nil` when it does.
    public var signatureObstacle: String?
    /// Jobs that succeeded at Community tier.
    public var successfulJobs: Int
    /// By the outcomes of the newest jobs.
    public var reputation: Reputation

    /// What is known.
    public init(
        scan: ScanState?, blockingFindings: Int, isIdentityVerified: Bool, signatureObstacle: String?, successfulJobs: Int, reputation: Reputation
    ) {
        self.scan = scan
        self.blockingFindings = blockingFindings
        self.isIdentityVerified = isIdentityVerified
        self.signatureObstacle = signatureObstacle
        self.successfulJobs = successfulJobs
        self.reputation = reputation
    }

    /// Every condition in the order of ``CertificationCondition``.
    public var checks: [CertificationCheck] {
        CertificationCondition.allCases.map { condition in
            let (isMet, message) = check(condition)
            return CertificationCheck(condition: condition, isMet: isMet, message: message)
        }
    }

    private func check(_ condition: CertificationCondition) -> (isMet: Bool, message: String) {
        switch condition {
        case .cleanScan:
            guard scan == .finished else { return (false, "The published image has no finished scan: \(scan?.rawValue ?? "never scanned").") }
            return blockingFindings == 0
                ? (true, "The newest scan has no critical or high finding.")
                : (false, "The newest scan has \(blockingFindings) critical or high findings; publish a version without them.")
        case .verifiedIdentity:
            return isIdentityVerified
                ? (true, "The publisher's identity is verified.")
                : (false, "The publisher's identity is not verified: 'archipelago account identity prove-domain' proves it.")
        case .signedImage: return signatureObstacle.map { (false, $0) } ?? (true, "The image is signed by its publisher.")
        case .successfulJobs:
            let missing = Self.successfulJobsMin - successfulJobs
            return missing <= 0
                ? (true, "\(successfulJobs) jobs succeeded at Community tier.")
                : (false, "\(successfulJobs) jobs succeeded at Community tier; \(missing) more are needed.")
        case .reputation:
            let thousandths = Int((reputation.value * 1000).rounded(.down))
            let text = "0." + String(repeating: "0", count: max(0, 3 - String(thousandths).count)) + String(thousandths)
            let shown = thousandths >= 1000 ? "1" : text
            return reputation.value > Self.reputationLimit
                ? (true, "The reputation is \(shown).") : (false, "The reputation is \(shown); it has to be above \(Self.reputationLimit).")
        }
    }
}
