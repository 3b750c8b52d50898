import Coordinator
import Domain
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What Islands' owners call.
    func addIslands(_ islands: Islands, _ dispatcher: Dispatcher) {
        post("islands") { request, context -> Response in
            var reader = FieldReader(try await request.object())
            let name = reader.required("name", reader.string("name"))
            reader.refuseUnknown()
            guard reader.mistakes.isEmpty, let name else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
            let (island, token) = try await islands.register(name: name, by: context.principal)
            return .json(["data": try island.json(isConnected: false), "token": .string(token)], status: .created)
        }
        get("islands") { request, context -> Response in
            let page = try await islands.list(page: request.page(), for: context.principal)
            let connected = await dispatcher.connectedIslandIDs
            return try .list(page) { try $0.json(isConnected: connected.contains($0.id)) }
        }
        get("islands/:id") { _, context -> Response in
            let island = try await islands.island(try context.text("id"), for: context.principal)
            return .data(try island.json(isConnected: await dispatcher.connectedIslandIDs.contains(island.id)))
        }
        for (word, isDrained) in [("drain", true), ("resume", false)] {
            post("islands/:id/\(word)") { _, context -> Response in
                let island = try await islands.setDrained(isDrained, try context.text("id"), by: context.principal)
                await dispatcher.setDrained(isDrained, island: island.id)
                return .data(try island.json(isConnected: await dispatcher.connectedIslandIDs.contains(island.id)))
            }
        }
        get("islands/:id/karma") { request, context -> Response in
            .list(try await islands.karma(of: try context.text("id"), page: request.page(), for: context.principal)) { $0.json }
        }
        get("islands/link") { request, _ -> Response in
            _ = try await islands.authenticate(token: Bearer.token(request.headers[.authorization]) ?? "")
            throw ServiceError(.malformed, code: "upgrade_required", "This address speaks WebSocket; connect with 'archipelago island run'.")
        }
    }
}
