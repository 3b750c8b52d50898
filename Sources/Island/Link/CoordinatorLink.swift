/// The way to the coordinator; the Island dials out only.
public protocol CoordinatorLink: Sendable {
    /// Opens a connection.
    ///
    /// - Throws: ``LinkRefused`` when the coordinator does not want this Island; any other error is tried again later.
    func connect() async throws -> any CoordinatorConnection
}

/// One connection to the coordinator; messages are whole texts.
public protocol CoordinatorConnection: Sendable {
    /// The next message; `nil` when the connection is over.
    func receive() async throws -> String?
    /// Sends a message; suspends while the connection is full.
    func send(_ text: String) async throws
    /// Ends the connection.
    func close(reason: String) async
    /// Why the other side closed, if it said so.
    var closeReason: String? { get async }
}

/// The coordinator will not talk to this Island however often it asks: the token is wrong.
public struct LinkRefused: Error, Sendable, CustomStringConvertible {
    /// The coordinator's words.
    public let description: String

    /// A refusal.
    public init(_ description: String) { self.description = description }
}
