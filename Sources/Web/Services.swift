public import Coordinator

/// The use cases that the API offers.
public struct Services: Sendable {
    /// Who asks.
    public let accounts: Accounts
    /// Who publishers are.
    public let identities: PublisherIdentities
    /// By what publishers sign.
    public let signingIdentities: SigningIdentities
    /// Images that nobody may run any more.
    public let digestRevocations: DigestRevocations
    /// Which Cargos are certified.
    public let certifications: Certifications
    /// What accounts are told.
    public let notifications: Notifications
    /// What administrators do with published Cargos.
    public let moderation: Moderation
    /// When published Cargos are scanned again.
    public let rescans: Rescans
    /// What publishers say of findings.
    public let justifications: Justifications
    /// What scans leave.
    public let scanDocuments: ScanDocuments
    /// The log of every change.
    public let audit: Audit
    /// What publishers do.
    public let publishing: Publishing
    /// What reviewers do.
    public let review: Review
    /// What Consumers choose from.
    public let registry: Registry
    /// Credits.
    public let ledger: Ledger
    /// What Consumers do.
    public let jobs: Jobs
    /// Many jobs at once.
    public let batches: Batches
    /// Conversations with Cargos.
    public let chat: Chat
    /// Islands as their owners see them.
    public let islands: Islands
    /// Who runs jobs.
    public let dispatcher: Dispatcher
    /// The transparency log of signatures.
    public let log: TransparencyLog
    /// Whom the network believes in signatures.
    public let trustedRoot: NetworkRoot
    /// Where Islands connect.
    public let gate: IslandGate

    /// The use cases that the API offers.
    public init(
        accounts: Accounts, identities: PublisherIdentities, signingIdentities: SigningIdentities, digestRevocations: DigestRevocations,
        certifications: Certifications,
        notifications: Notifications,
        moderation: Moderation, rescans: Rescans, justifications: Justifications, scanDocuments: ScanDocuments, audit: Audit,
        publishing: Publishing, review: Review, registry: Registry, ledger: Ledger, jobs: Jobs, batches: Batches, chat: Chat, islands: Islands,
        dispatcher: Dispatcher, log: TransparencyLog, trustedRoot: NetworkRoot, gate: IslandGate
    ) {
        self.accounts = accounts
        self.identities = identities
        self.signingIdentities = signingIdentities
        self.digestRevocations = digestRevocations
        self.certifications = certifications
        self.notifications = notifications
        self.moderation = moderation
        self.rescans = rescans
        self.justifications = justifications
        self.scanDocuments = scanDocuments
        self.audit = audit
        self.publishing = publishing
        self.review = review
        self.registry = registry
        self.ledger = ledger
        self.jobs = jobs
        self.batches = batches
        self.chat = chat
        self.islands = islands
        self.dispatcher = dispatcher
        self.log = log
        self.trustedRoot = trustedRoot
        self.gate = gate
    }
}
