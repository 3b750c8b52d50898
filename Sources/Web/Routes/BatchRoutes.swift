import Coordinator
import Domain
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// What Consumers call for many jobs at once.
    func addBatches(_ batches: Batches) {
        post("batches") { request, context -> Response in
            let principal = try context.principal
            let body = try await request.object(bytesMax: Request.batchBodyBytesMax)
            let wish = try Batches.Request(body)
            let batch = try await batches.submit(wish, key: try request.idempotencyKey(for: body), by: principal)
            return .data(batch.json, status: .created)
        }
        get("batches") { request, context -> Response in
            .list(try await batches.list(page: request.page(), for: context.principal)) { .object($0.summary) }
        }
        get("batches/:id") { _, context -> Response in .data(try await batches.batch(try context.text("id"), for: context.principal).json) }
        delete("batches/:id") { _, context -> Response in .data(try await batches.cancel(try context.text("id"), by: context.principal).json) }
    }
}
