public import Coordinator

/// The use cases that the API offers.
public struct Services: Sendable {
    /// Who asks.
    public let accounts: Accounts
    /// What publishers do.
    public let publishing: Publishing
    /// What reviewers do.
    public let review: Review
    /// What Consumers choose from.
    public let registry: Registry
    /// What Consumers do.
    public let jobs: Jobs
    /// Islands as their owners see them.
    public let islands: Islands
    /// Who runs jobs.
    public let dispatcher: Dispatcher
    /// Where Islands connect.
    public let gate: IslandGate

    /// The use cases that the API offers.
    public init(
        accounts: Accounts, publishing: Publishing, review: Review, registry: Registry, jobs: Jobs, islands: Islands,
        dispatcher: Dispatcher, gate: IslandGate
    ) {
        self.accounts = accounts
        self.publishing = publishing
        self.review = review
        self.registry = registry
        self.jobs = jobs
        self.islands = islands
        self.dispatcher = dispatcher
        self.gate = gate
    }
}
