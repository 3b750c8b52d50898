/// A row of `publisher_identities`: how an account's identity was proven, and a proof that is under way.
public struct PublisherIdentityRow: Sendable, Hashable {
    /// The account.
    public let accountID: String
    /// `domain` or `administrator`; `nil` while nothing is proven.
    public var method: String?
    /// The domain that was proven.
    public var domain: String?
    /// What an administrator saw, in words.
    public var evidence: String?
    /// When it was proven, milliseconds since 1970 UTC.
    public var verifiedAt: Int?
    /// The account that recorded it, or the own one for a domain.
    public var verifiedBy: String?
    /// The domain of the proof under way.
    public var challengeDomain: String?
    /// The token that the domain has to serve.
    public var challengeToken: String?
    /// When the proof began, milliseconds since 1970 UTC.
    public var challengeAt: Int?

    /// Nothing proven, no proof under way.
    public init(accountID: String) { self.accountID = accountID }

    init(_ row: SQLRow) throws {
        accountID = try row.text("account_id")
        method = try row.optionalText("method")
        domain = try row.optionalText("domain")
        evidence = try row.optionalText("evidence")
        verifiedAt = try row.optionalInt("verified_at")
        verifiedBy = try row.optionalText("verified_by")
        challengeDomain = try row.optionalText("challenge_domain")
        challengeToken = try row.optionalText("challenge_token")
        challengeAt = try row.optionalInt("challenge_at")
    }
}

extension SQLReader {
    /// What is known of an account's identity.
    public func publisherIdentity(accountID: String) throws -> PublisherIdentityRow? {
        try first("SELECT * FROM publisher_identities WHERE account_id = ?", [.text(accountID)]).map(PublisherIdentityRow.init)
    }
}

extension SQLWriter {
    /// Stores what is known of an account's identity, in place of what was.
    public func put(_ row: PublisherIdentityRow) throws {
        try execute("DELETE FROM publisher_identities WHERE account_id = ?", [.text(row.accountID)])
        try execute(
            """
            INSERT INTO publisher_identities (account_id, method, domain, evidence, verified_at, verified_by, challenge_domain,
                challenge_token, challenge_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(row.accountID), .optional(row.method), .optional(row.domain), .optional(row.evidence), .optional(row.verifiedAt),
                .optional(row.verifiedBy), .optional(row.challengeDomain), .optional(row.challengeToken), .optional(row.challengeAt),
            ])
    }
}
