import IslandLink
public import Logging
public import Storage

/// Speaks with connected Islands: reads their messages for the ``Dispatcher`` and sends what it answers.
public struct IslandGate: Sendable {
    private let dispatcher: Dispatcher
    private let logger: Logger

    /// A gate in front of a dispatcher.
    public init(dispatcher: Dispatcher, logger: Logger) {
        self.dispatcher = dispatcher
        self.logger = logger
    }

    /// Serves one connection until it ends, by either side; always closes it.
    public func serve(_ island: IslandRow, over channel: any IslandChannel) async {
        let metadata: Logger.Metadata = ["island.id": "\(island.id)"]
        logger.info("island connected", metadata: metadata)
        defer { logger.info("island disconnected", metadata: metadata) }
        do {
            guard let session = try await greet(island, channel) else { return await channel.close(reason: "") }
            do {
                try await converse(session, channel)
                await dispatcher.close(session)
                await channel.close(reason: "")
            } catch {
                await dispatcher.close(session)
                throw error
            }
        } catch let error as LinkError {
            logger.warning("island broke the link's rules", metadata: ["island.id": "\(island.id)", "error": "\(error)"])
            await channel.close(reason: error.description)
        } catch is CancellationError {
            await channel.close(reason: "the coordinator stops")
        } catch {
            logger.error("island link failed", metadata: ["island.id": "\(island.id)", "error": "\(error)"])
            await channel.close(reason: "the coordinator could not go on")
        }
    }

    private func greet(_ island: IslandRow, _ channel: any IslandChannel) async throws -> IslandSession? {
        guard let text = try await channel.receive() else { return nil }
        guard case .hello(let hello) = try IslandMessage(parsing: text) else { throw LinkError("the first message must be hello") }
        guard hello.version == LinkVersion.current else {
            throw LinkError(
                "the Island speaks version \(hello.version) of the link, this coordinator \(LinkVersion.current); update the older one")
        }
        return try await dispatcher.open(island, hello)
    }

    private func converse(_ session: IslandSession, _ channel: any IslandChannel) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listen(session, channel) }
            group.addTask {
                for await outgoing in session.outbound {
                    session.hasTaken(outgoing)
                    guard let text = try await dispatcher.text(of: outgoing) else { continue }
                    try await channel.send(text)
                    if case .assign(let assignment) = outgoing.message { await dispatcher.noteSent(assignment.attempt, session) }
                }
            }
            // Whichever ends first ends the other: a closed socket, or a connection that was replaced.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Takes what the Island says, until it has said everything and all of it is handled.
    private func listen(_ session: IslandSession, _ channel: any IslandChannel) async throws {
        let queue = MessageQueue()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { queue.close() }
                while let text = try await channel.receive() {
                    let message = try IslandMessage(parsing: text)
                    switch message {
                    case .hello: throw LinkError("hello is said once")
                    case .heartbeat(let attempts):
                        if let roundTrip = channel.roundTrip { await dispatcher.note(roundTrip, of: session) }
                        await dispatcher.renew(attempts, session)
                    case .started(let attempt), .frames(let attempt, _, _):
                        await queue.add(.init(attempt: attempt, message: message, at: dispatcher.surroundings.now()))
                    case .finished(let end): await queue.add(.init(attempt: end.attempt, message: message, at: dispatcher.surroundings.now()))
                    }
                }
            }
            group.addTask { try await queue.run { try await dispatcher.receive($0, from: session) } }
            // The first failure ends the others.
            for try await _ in group {}
        }
    }
}
