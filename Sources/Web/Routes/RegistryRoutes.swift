import Coordinator
import Domain
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What Consumers choose from.
    func addRegistry(_ registry: Registry) {
        get("workloads") { request, context -> Response in
            let found = try await registry.search(
                try request.registryFilter(), sort: request.choice("sort"), withFacets: request.flag("facets") ?? false, page: request.page(),
                for: context.principal)
            let more: JSONObject = found.facets.map { ["facets": $0.json] } ?? [:]
            return .list(found.listing, more: more) { $0.json }
        }
        get("workloads/:slug") { _, context -> Response in
            .data(try await registry.cargo(slug: try context.text("slug"), for: context.principal).json)
        }
        get("workloads/:slug/signature") { _, context -> Response in
            let (submission, row) = try await registry.signature(slug: try context.text("slug"), for: context.principal)
            return .data(row.json(of: submission))
        }
        get("workloads/:slug/versions") { request, context -> Response in
            let page = try await registry.versions(slug: try context.text("slug"), page: request.page(), for: context.principal)
            return .list(page) { $0.json }
        }
    }
}

extension Request {
    /// The wanted Cargos, from the query.
    fileprivate func registryFilter() throws -> RegistryFilter {
        let runtime: RuntimeType? = try choice("runtime_type")
        let tier: Tier? = try choice("tier")
        return RegistryFilter(
            query: try query("query"), category: try query("category"), tag: try query("tag"), runtimeType: runtime?.rawValue,
            trustLevel: try number("trust_level", in: 0...TrustLevel.official.rawValue), tier: tier?.rawValue, verified: try flag("verified"))
    }
}
