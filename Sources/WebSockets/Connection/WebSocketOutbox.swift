import NIOCore
import Synchronization

/// The frames that wait for the event loop, already encoded; many small ones become one write.
final class WebSocketOutbox: Sendable {
    private struct State {
        var pending = ByteBuffer()
        /// Bytes in `pending` and those written but not yet taken by the kernel.
        var bytes = 0
        var isFlushScheduled = false
        var isClosed = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }

    /// What became of an attempt to add a frame.
    private enum Admission {
        case added(shouldFlush: Bool)
        case full
        case closed
    }

    private let state = Mutex(State())
    private let bytesMax: Int
    private let maskingKey: (@Sendable () -> UInt32)?

    /// - Parameter maskingKey: draws a masking key from strong randomness, on the client's side (RFC 6455 §5.3).
    init(limits: WebSocketLimits, maskingKey: (@Sendable () -> UInt32)?) {
        bytesMax = limits.outboundBytesMax
        self.maskingKey = maskingKey
    }

    /// Whether frames are waiting or on their way.
    var isEmpty: Bool { state.withLock { $0.bytes == 0 } }

    /// Whether a sender waits for room.
    var hasWaitingSender: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Adds a data frame once there is room.
    ///
    /// - Returns: whether the caller must now schedule a flush; `nil` when the outbox is closed.
    /// - Throws: `CancellationError` when the task is cancelled while waiting; the frame is then not sent.
    func add(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) async throws -> Bool? {
        while true {
            switch admit(opcode, payload) {
            case .added(let shouldFlush): return shouldFlush
            case .closed: return nil
            case .full: try await waitForRoom()
            }
        }
    }

    private func admit(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) -> Admission {
        state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard state.bytes < bytesMax else { return .full }
            return .added(shouldFlush: append(opcode, payload, to: &state))
        }
    }

    private func append(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>, to state: inout State) -> Bool {
        let before = state.pending.readableBytes
        state.pending.writeWebSocketFrame(opcode, payload, mask: maskingKey?())
        state.bytes += state.pending.readableBytes - before
        defer { state.isFlushScheduled = true }
        return !state.isFlushScheduled
    }

    private func waitForRoom() async throws {
        let identifier = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isClosed || state.bytes < bytesMax || Task.isCancelled { return true }
                    state.waiters[identifier] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: identifier) }?.resume()
        }
        try Task.checkCancellation()
    }

    /// Adds a control frame, bounds or not; the caller flushes. Nothing is added once the outbox is closed.
    func addControl(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) {
        state.withLock { state in
            guard !state.isClosed else { return }
            _ = append(opcode, payload, to: &state)
        }
    }

    /// Takes every waiting byte, or `nil` when there is none.
    func take() -> ByteBuffer? {
        state.withLock { state in
            guard state.pending.readableBytes > 0 else {
                state.isFlushScheduled = false
                return nil
            }
            defer { state.pending = ByteBuffer() }
            return state.pending
        }
    }

    /// Whether frames came in since they were taken; if not, the next frame asks for a flush again.
    func needsAnotherFlush() -> Bool {
        state.withLock { state in
            state.isFlushScheduled = state.pending.readableBytes > 0
            return state.isFlushScheduled
        }
    }

    /// Notes that the kernel took bytes, and lets waiting senders go on when half of the room is free.
    func completed(_ count: Int) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.bytes -= count
            guard state.bytes * 2 <= bytesMax else { return [] }
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Refuses every further frame and wakes all waiting senders.
    func close() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isClosed = true
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
