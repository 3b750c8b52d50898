import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What people without a key call: registration and sign-in, limited for each address.
    func addSignIn(_ accounts: Accounts, _ limits: RequestLimits) {
        post("accounts") { request, context -> Response in
            try limits.countSignIn(from: context)
            let account = try await accounts.register(try Accounts.Registration(try await request.object()))
            return .data(account.json, status: .created)
        }
        post("sessions") { request, context -> Response in
            try limits.countSignIn(from: context)
            let session = try await accounts.signIn(try await request.object())
            var response = Response.json(
                [
                    "data": ["account": session.account.json, "expires_at": .string(session.expiresAt.description)],
                    "token": .string(session.token),
                ], status: .created)
            response.headers[.setCookie] = SessionCookie.header(
                token: session.token, seconds: Accounts.sessionSeconds, host: request.head.authority)
            return response
        }
        delete("sessions/current") { request, context -> Response in
            try await accounts.signOut(context.principal)
            var response = Response.data(["signed_out": true])
            response.headers[.setCookie] = SessionCookie.header(token: "", seconds: 0, host: request.head.authority)
            return response
        }
    }

    /// What account holders call.
    func addAccount(_ accounts: Accounts, _ identities: PublisherIdentities, _ ledger: Ledger) {
        get("account") { _, context -> Response in
            let account = try await accounts.account(for: context.principal)
            return .data(account.json(try await ledger.wallet(for: context.principal)))
        }
        patch("account") { request, context -> Response in
            let account = try await accounts.rename(try await request.object(), by: context.principal)
            return .data(account.json(try await ledger.wallet(for: context.principal)))
        }
        get("account/ledger") { request, context -> Response in
            let wallet = try await ledger.wallet(for: context.principal)
            let more: JSONObject = ["credits": .int(wallet.credits), "credits_held": .int(wallet.held)]
            return .list(try await ledger.statement(page: request.page(), for: context.principal), more: more) { $0.json }
        }
        post("account/password") { request, context -> Response in
            try await accounts.changePassword(try await request.object(), by: context.principal)
            return .data(["changed": true])
        }
        get("api-keys") { request, context -> Response in
            .list(try await accounts.keys(page: request.page(), for: context.principal)) { $0.json }
        }
        post("api-keys") { request, context -> Response in
            let wish = try Accounts.KeyRequest(try await request.object())
            let (key, secret) = try await accounts.createKey(wish, by: context.principal)
            return .json(key.json(secret: secret), status: .created)
        }
        delete("api-keys/:id") { _, context -> Response in
            let id = try context.text("id")
            try await accounts.revokeKey(id, by: context.principal)
            return .data(["id": .string(id), "revoked": true])
        }
        get("account/identity") { _, context -> Response in .data(try await identities.identity(for: context.principal).json) }
        post("account/identity/domain") { request, context -> Response in
            .data(try await identities.beginDomainProof(try await request.object(), by: context.principal).json, status: .created)
        }
        post("account/identity/domain/check") { _, context -> Response in
            .data(try await identities.checkDomainProof(by: context.principal).json)
        }
    }
}

extension RequestLimits {
    /// Counts one try to sign in or register.
    fileprivate func countSignIn(from context: APIContext) throws {
        guard let decision = signIns?.count(Self.name(of: context.peer)), !decision.isAllowed else { return }
        throw refusal("sign-ins", decision)
    }
}
