import IslandLink
import Synchronization

@testable import Island

/// A coordinator at the other end of an in-memory link; it decides which calls succeed.
final class FakeCoordinator: CoordinatorLink {
    struct Unreachable: Error {}

    /// One connection; the Island's end is the protocol, the test's end the methods below it.
    final class Connection: CoordinatorConnection {
        private let toIsland: (stream: AsyncStream<String>, continuation: AsyncStream<String>.Continuation) = AsyncStream.makeStream()
        private let fromIsland: (stream: AsyncStream<String>, continuation: AsyncStream<String>.Continuation) = AsyncStream.makeStream()
        private let reasons = Mutex<(island: String?, coordinator: String?)>((nil, nil))

        func receive() async throws -> String? {
            var messages = toIsland.stream.makeAsyncIterator()
            return await messages.next()
        }

        func send(_ text: String) async throws {
            if case .terminated = fromIsland.continuation.yield(text) { throw Unreachable() }
        }

        func close(reason: String) async {
            reasons.withLock { if $0.island == nil { $0.island = reason } }
            fromIsland.continuation.finish()
        }

        var closeReason: String? { get async { reasons.withLock(\.coordinator) } }

        /// Why the Island closed; `nil` while it has not.
        var islandsReason: String? { reasons.withLock(\.island) }

        func say(_ message: CoordinatorMessage) { toIsland.continuation.yield(message.text) }
        func say(text: String) { toIsland.continuation.yield(text) }

        /// The next message of the Island; `nil` once it closed.
        func hear() async throws -> IslandMessage? {
            var messages = fromIsland.stream.makeAsyncIterator()
            guard let text = await messages.next() else { return nil }
            return try IslandMessage(parsing: text)
        }

        /// Reads on until the Island has closed, and returns its reason.
        func untilClosed() async throws -> String? {
            while try await hear() != nil {}
            return islandsReason
        }

        /// Breaks the connection.
        func hangUp(reason: String = "") {
            reasons.withLock { $0.coordinator = reason }
            toIsland.continuation.finish()
        }
    }

    enum Answer: Sendable {
        case accept
        case unreachable
        case refuse
    }

    private let calls: (stream: AsyncStream<Connection?>, continuation: AsyncStream<Connection?>.Continuation) = AsyncStream.makeStream()
    private let answer = Mutex(Answer.accept)

    func answer(_ answer: Answer) { self.answer.withLock { $0 = answer } }

    func connect() async throws -> any CoordinatorConnection {
        switch answer.withLock(\.self) {
        case .accept:
            let connection = Connection()
            calls.continuation.yield(connection)
            return connection
        case .unreachable:
            calls.continuation.yield(nil)
            throw Unreachable()
        case .refuse:
            calls.continuation.yield(nil)
            throw LinkRefused("The Island's token is not known.")
        }
    }

    /// The Island's next call: its connection, or `nil` when it was not accepted.
    func nextCall() async -> Connection? {
        var calls = calls.stream.makeAsyncIterator()
        return await calls.next() ?? nil
    }

    /// The next accepted call, greeted: its hello, and the connection after welcome.
    func greet(resume: [CoordinatorMessage.Resumption] = []) async throws -> (hello: IslandMessage.Hello, connection: Connection) {
        guard let connection = await nextCall(), case .hello(let hello)? = try await connection.hear() else { throw LinkError("no hello") }
        connection.say(.welcome(island: "i", resume: resume))
        return (hello, connection)
    }
}
