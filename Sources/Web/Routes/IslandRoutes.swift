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
        post("islands/:id/drain") { _, context -> Response in
            let island = try await islands.drain(try context.text("id"), by: context.principal)
            await dispatcher.drain(island: island.id)
            return .data(try island.json(isConnected: await dispatcher.connectedIslandIDs.contains(island.id)))
        }
        get("islands/link") { request, _ -> Response in
            _ = try await islands.authenticate(token: Bearer.token(request.headers[.authorization]) ?? "")
            throw ServiceError(.malformed, code: "upgrade_required", "This address speaks WebSocket; connect with 'archipelago island run'.")
        }
    }
}
