import Coordinator
import Hummingbird
import JSON

extension RouterGroup<APIContext> {
    /// What publishers call who sign their images.
    func addSigningIdentities(_ identities: SigningIdentities) {
        post("account/signing-challenges") { _, context -> Response in
            .data(try await identities.challenge(by: context.principal).json, status: .created)
        }
        get("account/signing-identities") { request, context -> Response in
            .list(try await identities.list(page: request.page(), for: context.principal)) { $0.json }
        }
        post("account/signing-identities") { request, context -> Response in
            .data(try await identities.register(try await request.object(), by: context.principal).json, status: .created)
        }
        delete("account/signing-identities/:id") { _, context -> Response in
            .data(try await identities.revoke(try context.text("id"), by: context.principal).json)
        }
    }

    /// How publishers and administrators take images out of use.
    func addDigestRevocations(_ revocations: DigestRevocations) {
        get("account/revoked-digests") { request, context -> Response in
            .list(try await revocations.list(page: request.page(), for: context.principal)) { $0.json }
        }
        post("account/revoked-digests") { request, context -> Response in
            .data(try await revocations.revoke(try await request.object(), by: context.principal).json, status: .created)
        }
        get("admin/revoked-digests") { request, context -> Response in
            .list(try await revocations.listAll(page: request.page(), for: context.principal)) { $0.json }
        }
        post("admin/revoked-digests") { request, context -> Response in
            .data(try await revocations.revokeForAll(try await request.object(), by: context.principal).json, status: .created)
        }
    }
}
