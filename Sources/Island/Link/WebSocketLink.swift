import IslandLink
import JSON
import WebSockets

/// The link to a coordinator over a WebSocket.
public struct WebSocketLink: CoordinatorLink {
    private let url: String
    private let token: String

    /// A link to a coordinator.
    ///
    /// - Parameters:
    ///   - coordinator: its base address, for example `http://127.0.0.1:8080`.
    ///   - token: the Island's token, from registration.
    public init(coordinator: String, token: String) {
        url = coordinator + "/api/v1/islands/link"
        self.token = token
    }

    public func connect() async throws -> any CoordinatorConnection {
        do {
            let limits = WebSocketLimits(messageBytesMax: LinkLimits.messageBytesMax, frameBytesMax: LinkLimits.messageBytesMax)
            let connection = try await WebSocketClient.connect(
                url: url, headers: [(name: "Authorization", value: "Bearer \(token)")], limits: limits)
            return WebSocketCoordinatorConnection(connection)
        } catch let error as WebSocketError {
            // 401 and 403 do not mend themselves; all else (a proxy, a restart) may.
            guard let refusal = error.refusal, [401, 403].contains(refusal.status) else { throw error }
            let words = try? JSONValue(parsing: refusal.body)["error"]?["message"]?.string
            throw LinkRefused(words ?? "the coordinator answered \(refusal.status)")
        }
    }
}

private struct WebSocketCoordinatorConnection: CoordinatorConnection {
    private let connection: WebSocketConnection

    init(_ connection: WebSocketConnection) { self.connection = connection }

    func receive() async throws -> String? {
        var messages = connection.incoming.makeAsyncIterator()
        guard let message = await messages.next() else { return nil }
        guard let text = message.text else { throw LinkError("a message must be text") }
        return text
    }

    func send(_ text: String) async throws { try await connection.send(text: text) }

    func close(reason: String) async { await connection.close(reason.isEmpty ? .normal : .policyViolation, reason: reason) }

    var closeReason: String? { connection.closeReason }
}
