import Domain
public import JSON
public import Outbound
public import Storage

/// Who a publisher is: proven by a domain that serves a token, or recorded by an administrator with evidence.
public struct PublisherIdentities: Sendable {
    private let database: any Database
    private let door: any OutboundDoor
    private let announcer: Announcer
    private let surroundings: Surroundings

    /// The use cases over a database.
    ///
    /// - Parameter door: where domains are asked for their token; its policy says whether loopback counts as a domain.
    public init(database: any Database, door: any OutboundDoor, announcer: Announcer, surroundings: Surroundings) {
        self.database = database
        self.door = door
        self.announcer = announcer
        self.surroundings = surroundings
    }

    /// A document longer than a token with its line end is none.
    private static let documentBytesMax = 1024
    private static let evidenceLengthMax = 2000

    /// How an identity was proven.
    enum Method: String {
        case domain, administrator
    }

    /// What is known of a publisher.
    public struct Identity: Sendable, Hashable {
        /// The account.
        public let account: Account
        /// What was proven, and the proof under way.
        public let row: PublisherIdentityRow
        /// Where the token of the proof under way has to be served.
        public let challengeURL: String?
    }

    /// What is known of the asker.
    public func identity(for principal: Principal) async throws -> Identity {
        try principal.require(.read)
        return try await database.read { try Self.identity(principal.accountID, door.policy, in: $0) }
    }

    /// Begins the proof of a domain, from a request body with `domain`; a new token takes the place of an earlier one.
    public func beginDomainProof(_ object: JSONObject, by principal: Principal) async throws -> Identity {
        try principal.require(.write)
        var reader = FieldReader(object)
        let text = reader.required("domain", reader.string("domain"))
        reader.refuseUnknown()
        var domain: PublisherDomain?
        if let text {
            do { domain = try PublisherDomain(text, allowsLoopback: door.policy.allowsLoopback) } catch { reader.note("domain", error.description) }
        }
        guard reader.mistakes.isEmpty, let domain else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let now = surroundings.now()
        let token = surroundings.newSecret(prefix: "archipelago-publisher-")
        return try await database.write { writer in
            var row = try writer.publisherIdentity(accountID: principal.accountID) ?? PublisherIdentityRow(accountID: principal.accountID)
            row.challengeDomain = domain.description
            row.challengeToken = token
            row.challengeAt = now.milliseconds
            try writer.put(row)
            try writer.audit(
                "identity.challenge", "account/\(principal.accountID)", by: principal.accountID, at: now,
                after: ["domain": .string(domain.description)])
            return try Self.identity(principal.accountID, door.policy, in: writer)
        }
    }

    /// Asks the domain for the token, and verifies the publisher when it serves it.
    ///
    /// - Throws: `conflict`: `no_challenge`, or `domain_not_proven` with what was found instead.
    public func checkDomainProof(by principal: Principal) async throws -> Identity {
        try principal.require(.write)
        let row = try await database.read { try $0.publisherIdentity(accountID: principal.accountID) }
        guard let text = row?.challengeDomain, let token = row?.challengeToken,
            let domain = try? PublisherDomain(text, allowsLoopback: door.policy.allowsLoopback)  // else loopback is no longer allowed
        else {
            throw ServiceError(.conflict, code: "no_challenge", "No proof is under way; begin one with the domain's name.")
        }
        if let obstacle = await obstacle(to: domain, serving: token) {
            throw ServiceError(.conflict, code: "domain_not_proven", "\(domain.url) does not serve the token: \(obstacle).")
        }
        let now = surroundings.now()
        return try await announcer.commit(database) { writer in
            guard var row = try writer.publisherIdentity(accountID: principal.accountID), row.challengeToken == token else {
                throw ServiceError(.conflict, code: "no_challenge", "The proof was begun anew meanwhile; serve the new token.")
            }
            row.method = Method.domain.rawValue
            row.domain = text
            row.evidence = "The domain served the token at \(domain.url)."
            row.verifiedAt = now.milliseconds
            row.verifiedBy = principal.accountID
            (row.challengeDomain, row.challengeToken, row.challengeAt) = (nil, nil, nil)
            try verify(row, standing: .verified, by: principal.accountID, at: now, in: writer)
            return try Self.identity(principal.accountID, door.policy, in: writer)
        }
    }

    private func obstacle(to domain: PublisherDomain, serving token: String) async -> String? {
        do throws(OutboundError) {
            let answer = try await door.get(try OutboundURL(domain.url, policy: door.policy), bytesMax: Self.documentBytesMax)
            guard answer.status == 200 else { return "it answers \(answer.status)" }
            let text = String(decoding: answer.body, as: UTF8.self)
            return text.split(whereSeparator: \.isWhitespace).map(String.init) == [token] ? nil : "it serves something else"
        } catch {
            return error.description
        }
    }

    /// Records an identity that an administrator has seen proof of, from a request body with `evidence` and `standing`
    /// (`verified`, the default, or `first_party`).
    public func verify(_ object: JSONObject, accountID: String, by principal: Principal) async throws -> Account {
        try principal.require(.admin)
        var reader = FieldReader(object)
        let evidence = reader.required("evidence", reader.text("evidence", lengthMax: Self.evidenceLengthMax))
        let standing: PublisherStanding = reader.choice("standing") ?? .verified
        if standing == .community { reader.note("standing", "must be verified or first_party") }
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let evidence else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let now = surroundings.now()
        return try await announcer.commit(database) { writer in
            _ = try Account.find(accountID, in: writer)
            var row = try writer.publisherIdentity(accountID: accountID) ?? PublisherIdentityRow(accountID: accountID)
            row.method = Method.administrator.rawValue
            row.domain = nil
            row.evidence = evidence
            row.verifiedAt = now.milliseconds
            row.verifiedBy = principal.accountID
            try verify(row, standing: standing, by: principal.accountID, at: now, in: writer)
            return try Account.find(accountID, in: writer)
        }
    }

    /// Takes a verified identity away, from a request body with `reason`. Active Cargos stay; new ones fall under the smaller limit.
    public func revoke(_ object: JSONObject, accountID: String, by principal: Principal) async throws -> Account {
        try principal.require(.admin)
        var reader = FieldReader(object)
        let reason = reader.required("reason", reader.text("reason", lengthMax: Self.evidenceLengthMax))
        reader.refuseUnknown()
        guard reader.mistakes.isEmpty, let reason else { throw ServiceError.invalid(reader.mistakes.map(Problem.init)) }
        let now = surroundings.now()
        return try await announcer.commit(database) { writer in
            let before = try Account.find(accountID, in: writer)
            guard before.isVerified else {
                throw ServiceError(.conflict, code: "not_verified", "Account \(accountID) has no verified identity.")
            }
            try writer.put(PublisherIdentityRow(accountID: accountID))
            try writer.setStanding(PublisherStanding.community.rawValue, accountID: accountID)
            let after = try Account.find(accountID, in: writer)
            try writer.audit(
                "identity.revoke", "account/\(accountID)", by: principal.accountID, at: now, before: before.audited,
                after: ["standing": .string(after.standing.rawValue), "reason": .string(reason)])
            try announcer.tell(
                Announcement(
                    kind: .identityRevoked, accountID: accountID, title: "Your publisher identity is no longer verified", message: reason),
                at: now, in: writer)
            return after
        }
    }

    private func verify(
        _ row: PublisherIdentityRow, standing: PublisherStanding, by actorID: String, at now: Timestamp, in writer: any SQLWriter
    ) throws {
        let before = try Account.find(row.accountID, in: writer)
        // A first-party publisher that also proves a domain stays what it is.
        let reached = before.standing == .firstParty ? .firstParty : standing
        try writer.put(row)
        try writer.setStanding(reached.rawValue, accountID: row.accountID)
        try writer.audit(
            "identity.verify", "account/\(row.accountID)", by: actorID, at: now, before: before.audited,
            after: [
                "standing": .string(reached.rawValue), "method": .optional(row.method), "domain": .optional(row.domain),
                "evidence": .optional(row.evidence),
            ])
        let most = reached.activeCargosMax.map { "up to \($0) active Cargos" } ?? "any number of active Cargos"
        try announcer.tell(
            Announcement(
                kind: .identityVerified, accountID: row.accountID, title: "Your publisher identity is verified", message: "You may have \(most)."),
            at: now, in: writer)
    }

    private static func identity(_ accountID: String, _ policy: AddressPolicy, in reader: any SQLReader) throws -> Identity {
        let row = try reader.publisherIdentity(accountID: accountID) ?? PublisherIdentityRow(accountID: accountID)
        let domain = row.challengeDomain.flatMap { try? PublisherDomain($0, allowsLoopback: policy.allowsLoopback) }
        return Identity(account: try Account.find(accountID, in: reader), row: row, challengeURL: domain?.url)
    }
}
