/// Who caused a job to fail.
public enum FaultClass: String, Sendable, Hashable, CaseIterable {
    /// The Cargo broke the protocol, a limit, or itself.
    case cargo
    /// The Consumer's input cannot be worked on.
    case input
    /// The Island could not run the job.
    case island
    /// The coordinator or the network between could not.
    case platform
    /// The Consumer ended the job.
    case consumer

    /// Whether the job is tried again on another Island.
    public var isRetried: Bool {
        switch self {
        case .island, .platform: true
        case .cargo, .input, .consumer: false
        }
    }
}
