import Coordinator
import Domain
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What administrators call.
    func addAdministration(_ services: Services) {
        get("admin/audit") { request, context -> Response in
            let filter = AuditFilter(
                actorID: try request.query("actor"), action: try request.query("action"), subject: try request.query("subject"))
            return .list(try await services.audit.list(filter, page: request.page(), for: context.principal)) { $0.json }
        }
        get("admin/audit/verify") { _, context -> Response in .data(try await services.audit.verify(for: context.principal).json) }
        get("admin/accounts") { request, context -> Response in
            let page = try await services.accounts.list(containing: request.query("query"), page: request.page(), for: context.principal)
            return .list(page) { $0.json }
        }
        post("admin/accounts/:id/roles") { request, context -> Response in
            let account = try await services.accounts.setRoles(
                try await request.object(), accountID: try context.text("id"), by: context.principal)
            return .data(account.json)
        }
        post("admin/accounts/:id/credits") { request, context -> Response in
            let id = try context.text("id")
            let wallet = try await services.ledger.grant(try await request.object(), to: id, by: context.principal)
            return .data(["id": .string(id), "credits": .int(wallet.credits), "credits_held": .int(wallet.held)])
        }
        get("admin/ledger/verify") { _, context -> Response in .data(try await services.ledger.verify(for: context.principal).json) }
        post("admin/publishers/:id/verify") { request, context -> Response in
            let account = try await services.identities.verify(
                try await request.object(), accountID: try context.text("id"), by: context.principal)
            return .data(account.json)
        }
        post("admin/publishers/:id/unverify") { request, context -> Response in
            let account = try await services.identities.revoke(
                try await request.object(), accountID: try context.text("id"), by: context.principal)
            return .data(account.json)
        }
        post("admin/workloads/:slug/suspend") { request, context -> Response in
            let cargo = try await services.moderation.suspend(
                try await request.object(), slug: try context.text("slug"), by: context.principal)
            return .data(cargo.json)
        }
        post("admin/workloads/:slug/unsuspend") { request, context -> Response in
            let cargo = try await services.moderation.unsuspend(
                try await request.object(), slug: try context.text("slug"), by: context.principal)
            return .data(cargo.json)
        }
    }
}
