import NIOCore

/// An open WebSocket (RFC 6455), either side of it.
///
/// Sending and receiving may go on at the same time in different tasks. Pings are answered and sent without the
/// caller. The connection stays open until one side closes it or the peer vanishes; letting go of the value does not
/// close it (the server closes it when its handler returns).
public final class WebSocketConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>
    let inbox: WebSocketInbox
    let outbox: WebSocketOutbox
    private let ending: WebSocketEnding
    private let lastRoundTrip = LastRoundTrip()

    /// The peer's address, for example `192.0.2.7`, or `nil` when it has none.
    public let remoteAddress: String?

    /// Makes the connection and its handler; to be called on the channel's event loop. The caller adds the handler.
    ///
    /// - Parameter maskingKey: draws a masking key for each frame sent; `nil` on the server's side.
    init(channel: any Channel, limits: WebSocketLimits, maskingKey: (@Sendable () -> UInt32)?) {
        self.channel = channel
        remoteAddress = channel.remoteAddress?.ipAddress
        inbox = WebSocketInbox(limits: limits)
        outbox = WebSocketOutbox(limits: limits, maskingKey: maskingKey)
        ending = WebSocketEnding(eventLoop: channel.eventLoop)
        handler = NIOLoopBound(
            WebSocketHandler(limits: limits, isServer: maskingKey == nil, inbox: inbox, outbox: outbox, ending: ending, lastRoundTrip: lastRoundTrip),
            eventLoop: channel.eventLoop)
    }

    /// The handler to put into the pipeline; on the event loop only.
    var channelHandler: WebSocketHandler { handler.value }

    /// How long the peer's answer to the last ping took, on its way behind whatever was being sent; `nil` before the first one.
    public var roundTrip: Duration? { lastRoundTrip.value }

    /// The messages of the peer, in order; for one reader at a time.
    ///
    /// The sequence ends when the connection does (``closure`` says how) or the reading task is cancelled. When the
    /// reader is slow the socket is not read, and so the peer is slowed down; see ``WebSocketLimits``.
    public var incoming: WebSocketMessages { WebSocketMessages(connection: self) }

    /// Sends a text message.
    ///
    /// Returns as soon as the message is in the outbound buffer; waits while more than `outboundBytesMax` are in it.
    ///
    /// - Throws: ``WebSocketError`` with `closed` when the connection is closing or closed; `CancellationError` when
    ///   the task is cancelled while waiting, and then the message is not sent.
    public func send(text: String) async throws {
        var text = text
        text.makeContiguousUTF8()
        try await send(.text, text.utf8)
    }

    /// Sends a text message given as UTF-8 bytes, for example JSON; otherwise as ``send(text:)``.
    ///
    /// The bytes are not checked: invalid UTF-8 makes the peer close with 1007.
    public func send(utf8 bytes: [UInt8]) async throws { try await send(.text, bytes) }

    /// Sends a binary message; otherwise as ``send(text:)``.
    public func send(binary bytes: [UInt8]) async throws { try await send(.binary, bytes) }

    private func send(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) async throws {
        guard let shouldFlush = try await outbox.add(opcode, payload) else {
            throw WebSocketError(.closed, closure.map { "the connection is \($0)" } ?? "the connection is closed", closure: closure)
        }
        guard shouldFlush else { return }
        channel.eventLoop.execute { [handler] in handler.value.flush() }
    }

    /// Closes the connection: sends what is waiting and a Close frame, and waits for the peer's, at most `closeTimeout`.
    ///
    /// Returns when the socket is closed. Does nothing but wait when the connection is already closing. Messages that
    /// come in meanwhile are dropped.
    ///
    /// - Parameters:
    ///   - code: why; one that may not be sent (see ``WebSocketCloseCode/isSendable``) gives a Close frame without code.
    ///   - reason: words for the peer's log, cut to 123 bytes.
    public func close(_ code: WebSocketCloseCode = .normal, reason: String = "") async {
        channel.eventLoop.execute { [handler] in handler.value.startClose(code, reason) }
        await waitUntilClosed()
    }

    /// How the connection ended or is about to end, or `nil` while it is open.
    public var closure: WebSocketClosure? { ending.closure }

    /// The code of ``closure``.
    public var closeCode: WebSocketCloseCode? { closure?.code }

    /// The reason of ``closure``.
    public var closeReason: String? { closure?.reason }

    /// Waits until the socket is closed, whoever closes it. Not ended by cancellation.
    ///
    /// - Returns: how it ended.
    @discardableResult
    public func waitUntilClosed() async -> WebSocketClosure {
        // The future cannot fail.
        try? await ending.finished.get()
        return closure ?? WebSocketClosure(code: .abnormal, reason: "", isByPeer: true)
    }

    /// Drops every message that waits or comes in from now on, so that a caller who only sends need not read.
    /// Without this or a reader the peer's Close frame may never be seen.
    public func discardIncoming() {
        inbox.discard()
        resumeReading()
    }

    /// Runs the body, and cancels it when the connection ends first.
    ///
    /// For senders that wait for something else than the peer, and for whom a peer that left is no error.
    ///
    /// - Returns: what the body returned.
    /// - Throws: what the body throws; a cancelled one usually throws `CancellationError`.
    public func whileOpen<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await self.waitUntilEndOrCancellation()
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }

    private func waitUntilEndOrCancellation() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        ending.finished.whenComplete { _ in continuation.finish() }
        for await _ in stream {}
    }

    fileprivate func nextMessage() async -> WebSocketMessage? {
        let (message, shouldResume) = await inbox.next()
        if shouldResume { resumeReading() }
        return message
    }

    private func resumeReading() {
        channel.eventLoop.execute { [handler] in handler.value.resumeReading() }
    }
}

/// The messages that a peer sends; see ``WebSocketConnection/incoming``.
public struct WebSocketMessages: AsyncSequence, Sendable {
    /// One message.
    public typealias Element = WebSocketMessage
    /// The sequence ends, it does not fail.
    public typealias Failure = Never

    fileprivate let connection: WebSocketConnection

    /// Waits for one message after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let connection: WebSocketConnection

        /// The next message, or `nil` when the connection has ended or the task is cancelled.
        public mutating func next() async -> WebSocketMessage? { await connection.nextMessage() }

        /// As ``next()``; it does not depend on the caller's isolation.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> WebSocketMessage? {
            await connection.nextMessage()
        }
    }

    /// Begins or goes on reading.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: connection) }
}
