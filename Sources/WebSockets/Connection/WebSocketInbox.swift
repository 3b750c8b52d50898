import Synchronization

/// The received messages that wait for the reader: bounded by pausing the socket, for one reader at a time.
final class WebSocketInbox: Sendable {
    private struct State {
        var messages: [WebSocketMessage] = []
        /// Index of the oldest message in `messages`; the ones before it are taken.
        var first = 0
        var bytes = 0
        var reader: CheckedContinuation<WebSocketMessage?, Never>?
        var isPaused = false
        var isFinished = false
        var isDiscarding = false

        var count: Int { messages.count - first }

        mutating func take() -> WebSocketMessage? {
            guard first < messages.count else { return nil }
            let message = messages[first]
            first += 1
            bytes -= message.byteCount
            if first == messages.count {
                messages.removeAll(keepingCapacity: messages.capacity <= 64)
                first = 0
            } else if first >= 256, first * 2 > messages.count {
                messages.removeFirst(first)
                first = 0
            }
            return message
        }
    }

    private let state = Mutex(State())
    private let bytesMax: Int
    private let messagesMax: Int

    init(limits: WebSocketLimits) {
        bytesMax = limits.inboundBytesMax
        messagesMax = limits.inboundMessagesMax
    }

    /// Whether the socket should not be read for now.
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Whether a reader waits for a message.
    var hasWaitingReader: Bool { state.withLock { $0.reader != nil } }

    /// Hands a message to the waiting reader, or keeps it.
    func push(_ message: WebSocketMessage) {
        let reader = state.withLock { state -> CheckedContinuation<WebSocketMessage?, Never>? in
            guard !state.isFinished, !state.isDiscarding else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.messages.append(message)
            state.bytes += message.byteCount
            if state.bytes >= bytesMax || state.count >= messagesMax { state.isPaused = true }
            return nil
        }
        reader?.resume(returning: message)
    }

    /// Ends the sequence after the messages that are already here.
    func finish() {
        let reader = state.withLock { state -> CheckedContinuation<WebSocketMessage?, Never>? in
            state.isFinished = true
            state.isPaused = false
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// Drops what is here and everything that comes.
    func discard() {
        state.withLock { state in
            state.isDiscarding = true
            state.isPaused = false
            state.messages = []
            state.first = 0
            state.bytes = 0
        }
    }

    /// Waits for the next message.
    ///
    /// - Returns: the message, or `nil` at the end or when the task is cancelled; and whether the socket, paused till
    ///   now, should be read again.
    func next() async -> (message: WebSocketMessage?, shouldResume: Bool) {
        let message = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> WebSocketMessage?? in
                    precondition(state.reader == nil, "a WebSocket's incoming messages have one reader at a time")
                    if let message = state.take() { return .some(message) }
                    if state.isFinished || Task.isCancelled { return .some(nil) }
                    state.reader = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let reader = state.withLock { state -> CheckedContinuation<WebSocketMessage?, Never>? in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
        let shouldResume = state.withLock { state in
            guard state.isPaused, state.bytes * 2 <= bytesMax, state.count * 2 <= messagesMax else { return false }
            state.isPaused = false
            return true
        }
        return (message, shouldResume)
    }
}
