import Coordinator
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// What Consumers choose from.
    func addRegistry(_ registry: Registry) {
        get("workloads") { request, context -> Response in
            .list(try await registry.search(text: try request.query("query"), page: request.page(), for: context.principal)) { $0.json }
        }
        get("workloads/:slug") { _, context -> Response in
            .data(try await registry.cargo(slug: try context.text("slug"), for: context.principal).json)
        }
    }
}
