public import HummingbirdCore
public import Logging
public import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
public import WebSockets

/// A server connection that speaks HTTP/1 as Hummingbird's own `HTTP1Channel` does, and on which a request may turn
/// the connection into a WebSocket.
///
/// On graceful shutdown a WebSocket is closed with 1001, and the server waits for its handler to return.
public struct HTTP1WebSocketChannel: ServerChildChannel, HTTPChannelHandler {
    /// A connection before it is known what it becomes.
    public struct Value: ServerChildChannelValue {
        let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let upgraded: EventLoopFuture<UpgradedWebSocket?>
        /// The connection itself.
        public var channel: any Channel { http.channel }
    }

    /// Answers ordinary requests.
    public let responder: HTTPChannelHandler.Responder
    private let configuration: HTTP1Channel.Configuration
    private let limits: WebSocketLimits
    private let shouldUpgrade: WebSocketUpgradeGate.Decide

    /// - Parameters:
    ///   - responder: answers ordinary requests, and handshakes that were passed on.
    ///   - configuration: Hummingbird's own, for the HTTP part.
    ///   - limits: what a WebSocket may take.
    ///   - shouldUpgrade: decides about each handshake.
    public init(
        responder: @escaping HTTPChannelHandler.Responder, configuration: HTTP1Channel.Configuration, limits: WebSocketLimits,
        shouldUpgrade: @escaping WebSocketUpgradeGate.Decide
    ) {
        self.responder = responder
        self.configuration = configuration
        self.limits = limits
        self.shouldUpgrade = shouldUpgrade
    }

    /// Builds the pipeline of `HTTP1Channel`, with the gate behind the HTTP parser.
    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var decoderLimits = NIOHTTPDecoderLimitConfiguration()
            decoderLimits.maxHeaderFieldSize = configuration.httpDecoder.maxHeaderFieldSize
            decoderLimits.maxHeaderListSize = configuration.httpDecoder.maxHeaderListSize
            decoderLimits.maxHeaderFieldCount = configuration.httpDecoder.maxHeaderFieldCount
            let gate = try WebSocketUpgradeGate.install(
                on: channel, limits: limits, decoderLimits: decoderLimits, decide: shouldUpgrade)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let additional = configuration.additionalChannelHandlers()
            try pipeline.addHandlers(additional)
            let connectionState = HTTPConnectionStateHandler(
                idleTimeout: configuration.idleTimeout.map { .init($0) }, logger: logger)
            try pipeline.addHandler(connectionState)
            for handler in additional { gate.removeWhenUpgraded(handler) }
            gate.removeWhenUpgraded(connectionState)
            return Value(
                http: try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)),
                upgraded: gate.upgraded)
        }
    }

    /// Answers requests until the connection ends, and runs the WebSocket if it becomes one.
    public func handle(value: Value, logger: Logger) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await handleHTTP(asyncChannel: value.http, logger: logger) }
            // The future fails only when the event loop is gone, and with it the connection.
            let upgraded = try? await value.upgraded.get()
            await upgraded?.run()
        }
    }
}

extension HTTPServerBuilder {
    /// An HTTP/1 server whose connections may become WebSockets, on the same port.
    ///
    /// ```swift
    /// Application(router: router, server: .http1WebSocket(shouldUpgrade: { request in
    ///     guard request.path == "/echo" else { return .pass }
    ///     return .upgrade { connection in
    ///         for await case .text(let text) in connection.incoming { try? await connection.send(text: text) }
    ///     }
    /// }))
    /// ```
    /// - Parameters:
    ///   - configuration: Hummingbird's own, for the HTTP part.
    ///   - limits: what a WebSocket may take.
    ///   - shouldUpgrade: decides about each proper handshake; `.pass` lets the router answer it. A handshake that is not
    ///     proper (another version, a bad key) goes to the router without being asked about.
    public static func http1WebSocket(
        configuration: HTTP1Channel.Configuration = .init(), limits: WebSocketLimits = WebSocketLimits(),
        shouldUpgrade: @escaping WebSocketUpgradeGate.Decide
    ) -> HTTPServerBuilder {
        .init { responder in
            HTTP1WebSocketChannel(
                responder: responder, configuration: configuration, limits: limits, shouldUpgrade: shouldUpgrade)
        }
    }
}
