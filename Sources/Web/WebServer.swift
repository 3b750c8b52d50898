import Coordinator
import HTTPTypes
import Hummingbird
import HummingbirdCore
import IslandLink
import JSON
public import Logging
import NIOCore
public import ServiceLifecycle
import WebSockets

/// The coordinator's one listening port: HTTP API, server-sent events and WebSockets.
public struct WebServer: Service {
    private let host: String
    private let port: Int
    private let services: Services
    private let limits: RequestLimits
    private let onListening: @Sendable (_ port: Int) async -> Void
    private let logger: Logger

    /// A server that listens once it runs.
    ///
    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - limits: how many requests an asker may send.
    ///   - onListening: told the port as soon as connections are taken.
    public init(
        host: String, port: Int, services: Services, limits: RequestLimits, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.services = services
        self.limits = limits
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown or cancellation.
    ///
    /// - Throws: ``ServiceError`` `cannot_listen` when the address is taken or is not this machine's.
    public func run() async throws {
        let door = SocketDoor(services: services, logger: logger)
        let limits = WebSocketLimits(messageBytesMax: LinkLimits.messageBytesMax, frameBytesMax: LinkLimits.messageBytesMax)
        let application = Application(
            responder: router().buildResponder(),
            server: .http1WebSocket(
                configuration: .init(additionalChannelHandlers: [StalledPeerHandler(), SlowRequestHandler()]), limits: limits,
                shouldUpgrade: door.decide),
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) }, logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ServiceError(
                .unavailable, code: "cannot_listen", "\(host):\(port) cannot be listened on (\(error.description)); is another program there?")
        }
    }

    /// Hummingbird tells of every start and stop, and calls each cancelled connection an error; what matters is thrown.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = .critical
        return logger
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: Gatekeeper(accounts: services.accounts, limits: limits, envelope: ErrorEnvelope(logger: logger)))
        router.get("health") { _, _ -> Response in .data(["status": "ok"]) }
        let api = router.group("api/v1")
        api.get("health") { _, _ -> Response in .data(["status": "ok"]) }
        api.get("openapi.json") { _, _ -> Response in .json(.object(OpenAPIDocument.document)) }
        api.get("trusted-root.json") { request, _ -> Response in
            .json(.object(try await services.trustedRoot.document(baseURL: request.ownAddress + "/rekor")))
        }
        // Below an address of its own, and where clients look that forget its path.
        for group in [router.group("rekor/api/v1"), api] { group.addLog(services.log) }
        router.group("rekor").addLogTiles(services.log)
        api.addSignIn(services.accounts, limits)
        api.addAccount(services.accounts, services.identities, services.ledger)
        api.addSigningIdentities(services.signingIdentities)
        api.addDigestRevocations(services.digestRevocations)
        api.addNotifications(services.notifications)
        api.addPublishing(services.publishing)
        api.addReview(services.review)
        api.addScans(services)
        api.addRegistry(services.registry)
        api.addCertifications(services.certifications)
        api.addJobs(services.jobs, services.dispatcher)
        api.addBatches(services.batches)
        api.addChat(services.chat, services.jobs)
        api.addIslands(services.islands, services.dispatcher)
        api.addAdministration(services)
        return router
    }
}
