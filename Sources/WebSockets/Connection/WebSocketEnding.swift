import NIOCore
import Synchronization

/// How and when the connection ended; the first word on it stands.
final class WebSocketEnding: Sendable {
    private let state = Mutex<WebSocketClosure?>(nil)
    private let promise: EventLoopPromise<Void>

    init(eventLoop: any EventLoop) { promise = eventLoop.makePromise() }

    /// How the connection ended or is about to, or `nil` while it is open.
    var closure: WebSocketClosure? { state.withLock { $0 } }

    /// Completes when the socket is closed and everything is cleaned up.
    var finished: EventLoopFuture<Void> { promise.futureResult }

    func note(_ closure: WebSocketClosure) { state.withLock { state in if state == nil { state = closure } } }

    /// To be called once.
    func finish() { promise.succeed() }
}
