import Coordinator
import Foundation
import Logging
import Storage
import WebSockets

/// Decides which requests become WebSockets: a job's transcript for its Consumer, the link for an Island.
///
/// Whoever may not pass goes on to the router, whose handlers answer with the usual envelope.
struct SocketDoor: Sendable {
    let services: Services
    let logger: Logger

    func decide(_ request: WebSocketUpgradeRequest) async -> WebSocketUpgradeDecision {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        do {
            if parts == ["api", "v1", "islands", "link"] { return try await link(request) }
            if parts.count == 5, parts[..<3] == ["api", "v1", "jobs"], parts[4] == "ws" { return try await transcript(parts[3], request) }
        } catch {
            // The router comes to the same refusal and answers it.
        }
        return .pass
    }

    private func link(_ request: WebSocketUpgradeRequest) async throws -> WebSocketUpgradeDecision {
        guard let token = Bearer.token(request.header("Authorization")) else { return .pass }
        let island = try await services.islands.authenticate(token: token)
        return .upgrade { connection in await services.gate.serve(island, over: SocketChannel(connection: connection)) }
    }

    private func transcript(_ id: String, _ request: WebSocketUpgradeRequest) async throws -> WebSocketUpgradeDecision {
        guard let key = Bearer.token(request.header("Authorization")) else { return .pass }
        let principal = try await services.accounts.authenticate(secret: key)
        let job = try await services.jobs.jobWithTranscript(id, for: principal)
        let items = URLComponents(string: "?" + (request.query ?? ""))?.queryItems ?? []
        let from = items.first { $0.name == "from" }?.value
        guard let first = from == nil ? 1 : from.flatMap(Int.init), first >= 0 else { return .pass }
        let feed = services.jobs.transcript(of: job, from: first)
        return .upgrade { connection in await send(feed, over: connection) }
    }

    private func send(_ feed: TranscriptFeed, over connection: WebSocketConnection) async {
        connection.discardIncoming()
        do {
            try await connection.whileOpen {
                for try await page in feed {
                    for record in page { try await connection.send(utf8: record.body) }
                }
            }
            await connection.close(.normal)
        } catch {
            // The Consumer left, or the server stops: it comes back with ?from=N.
            await connection.close(.goingAway, reason: "resume with ?from=SEQ")
        }
    }
}

/// An Island's WebSocket as the coordinator uses it.
private struct SocketChannel: IslandChannel {
    let connection: WebSocketConnection

    func receive() async throws -> String? {
        var messages = connection.incoming.makeAsyncIterator()
        return await messages.next()?.text
    }

    func send(_ text: String) async throws { try await connection.send(text: text) }

    var roundTrip: Duration? { connection.roundTrip }

    func close(reason: String) async { await connection.close(reason.isEmpty ? .normal : .policyViolation, reason: reason) }
}
