import Domain
import IslandLink
import Synchronization

/// One connection of one Island.
final class IslandSession: Sendable {
    let number: Int
    let island: String
    /// What is on its way to the Island, in order; each is to be given to ``hasTaken(_:)``.
    let outbound: AsyncStream<Outgoing>
    private let continuation: AsyncStream<Outgoing>.Continuation
    /// Bytes of what waits.
    private let waiting = Mutex(0)

    /// A message that waits to be sent.
    struct Outgoing: Sendable {
        let message: CoordinatorMessage
        /// The input of an assignment as JSON text, in place of the assignment's own; `nil` to read it when its turn comes.
        let input: String?
    }

    /// Chosen: an Island that does not read this many messages is as good as gone.
    private static let messagesMax = 4096
    /// Bytes of messages that wait at most, as ``Outgoing/bytes`` counts them. Chosen: as many messages as wait, of the usual size, take a quarter.
    static let bytesMax = 16 << 20
    /// Bytes that wait up to which an input waits with its assignment. Chosen: hundreds of usual inputs, and little for a thousand slow Islands.
    static let inputBytesMax = 1 << 20

    init(number: Int, island: String) {
        self.number = number
        self.island = island
        (outbound, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.messagesMax))
    }

    /// Queues a message; a full queue ends the connection, and the Island comes back with a clean one.
    ///
    /// - Parameter input: of an assignment, as JSON text. It is dropped, to be read when its turn comes, where too much waits already; so a slow link
    ///   or many large inputs fill no memory, and end no connection.
    func send(_ message: CoordinatorMessage, input: String? = nil) {
        let outgoing = waiting.withLock { waiting -> Outgoing? in
            let fits = waiting + (input?.utf8.count ?? 0) <= Self.inputBytesMax
            let outgoing = Outgoing(message: message, input: fits ? input : nil)
            guard waiting + outgoing.bytes <= Self.bytesMax else { return nil }
            waiting += outgoing.bytes
            return outgoing
        }
        guard let outgoing else { return continuation.finish() }
        if case .dropped = continuation.yield(outgoing) { continuation.finish() }
    }

    /// What waits takes so many bytes, about.
    var bytesWaiting: Int { waiting.withLock(\.self) }

    /// Takes note that a message waits no more.
    func hasTaken(_ outgoing: Outgoing) { waiting.withLock { $0 -= outgoing.bytes } }

    /// Ends this connection because the Island opened a new one.
    func replace() { continuation.finish() }
}

extension IslandSession.Outgoing {
    /// What the message takes while it waits, about, in bytes.
    var bytes: Int { Self.messageBytes + message.listBytes + (input?.utf8.count ?? 0) }

    /// Chosen: names and numbers of any message.
    private static let messageBytes = 1024
}

extension CoordinatorMessage {
    /// Bytes of what a message has any number of.
    fileprivate var listBytes: Int {
        switch self {
        case .welcome(_, let resume): resume.reduce(0) { $0 + $1.attempt.job.utf8.count }
        case .assign(let assignment): assignment.signers.reduce(0) { $0 + $1.bytes }
        case .stored, .cancel, .settled: 0
        case .revoked(let digests): digests.reduce(0) { $0 + $1.utf8.count }
        }
    }
}

extension CoordinatorMessage.Signer {
    fileprivate var bytes: Int {
        switch self {
        case .key(let pem): pem.utf8.count
        case .identity(let name, let issuer): name.utf8.count + issuer.utf8.count
        }
    }
}
