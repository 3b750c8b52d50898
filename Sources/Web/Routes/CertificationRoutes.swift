import Coordinator
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// How Cargos get to trust levels 2 and 3.
    func addCertifications(_ certifications: Certifications) {
        get("workloads/:slug/certification") { _, context -> Response in
            .data(try await certifications.standing(slug: try context.text("slug"), for: context.principal).json)
        }
        post("workloads/:slug/certification") { _, context -> Response in
            .data(try await certifications.request(slug: try context.text("slug"), by: context.principal).json, status: .created)
        }
        get("review/certifications") { request, context -> Response in
            .list(try await certifications.queue(page: request.page(), for: context.principal)) { $0.row.json(of: $0.submission) }
        }
        post("review/workloads/:slug/certification/approve") { request, context -> Response in
            let slug = try context.text("slug")
            return .data(try await certifications.approve(try await request.object(), slug: slug, by: context.principal).json)
        }
        post("review/workloads/:slug/certification/reject") { request, context -> Response in
            let slug = try context.text("slug")
            return .data(try await certifications.reject(try await request.object(), slug: slug, by: context.principal).json)
        }
        post("admin/workloads/:slug/official") { request, context -> Response in
            let slug = try context.text("slug")
            return .data(try await certifications.makeOfficial(try await request.object(), slug: slug, by: context.principal).json)
        }
    }
}
