/// A file or folder of the host that a cage shows and that nobody in it can change.
public struct ReadOnlyMount: Sendable, Hashable {
    /// Absolute path on the host.
    public let source: String
    /// Absolute path inside the cage.
    public let destination: String
    /// Whether programs in it can be started.
    public let isExecutable: Bool

    /// A mount; the source must be there when the cage is made.
    public init(source: String, destination: String, isExecutable: Bool = false) {
        self.source = source
        self.destination = destination
        self.isExecutable = isExecutable
    }
}
