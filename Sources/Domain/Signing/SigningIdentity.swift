/// By what a publisher signs images.
public enum SigningIdentityKind: String, Sendable, Hashable, CaseIterable {
    /// A key pair of the publisher's own.
    case key
    /// A name that an OpenID Connect issuer vouches for.
    case oidc
}

/// What holds of every signing identity.
public enum SigningIdentityTerms {
    /// Identities of one account that are not revoked, at most. Chosen: a team's people and its build machines.
    public static let activeMax = 20
    /// How long the text that has to be signed counts. Source: issue 7; time to sign by hand.
    public static let challengeLength = Duration.seconds(600)
    /// Texts to sign that one account may have at once. Chosen: as many as identities.
    public static let challengesMax = 20
    /// Longest own name for an identity, in characters (Unicode scalars). Chosen: as of API keys.
    public static let nameLengthMax = 200
    /// Longest address of an issuer, and longest name in a certificate, in characters. Chosen: the longest address that browsers agree on.
    public static let addressLengthMax = 2048
    /// Longest key as a PEM document, in characters. Chosen: several times an RSA key of 16384 bits.
    public static let keyLengthMax = 16_384
    /// Longest signature in base64, in characters. Chosen: as of keys.
    public static let signatureLengthMax = 16_384

    /// The text that somebody signs to show that a key or name is theirs: the account is in it, so that it is a proof for no other one, and
    /// nothing that anybody signs for another purpose begins like it.
    ///
    /// - Parameter secret: not to be guessed.
    public static func challenge(accountID: String, secret: String) -> String { "archipelago-signing-identity:\(accountID):\(secret)" }

    /// What is wrong with a name and who vouches for it, each with its JSON pointer.
    public static func problems(issuer: String, identity: String) -> [Problem] {
        var problems: [Problem] = []
        let host = issuer.hasPrefix("https://") ? issuer.dropFirst("https://".count) : ""
        if host.isEmpty || host.hasPrefix("/") || !isPlain(issuer) {
            problems.append(Problem("/issuer", "must be an address that begins with https://"))
        }
        if !isPlain(identity) { problems.append(Problem("/identity", "must be the exact name in the certificate, without blanks")) }
        return problems
    }

    /// Printable ASCII without blanks, as certificates have addresses and e-mail addresses (RFC 5280 §4.2.1.6, IA5String).
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= addressLengthMax && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// What tells a name apart from all others. An address has no line end in it, so no two pairs give one text.
    public static func claim(issuer: String, identity: String) -> String { "\(issuer)\n\(identity)" }
}

/// Why somebody who has shown that a key or name is theirs may still not register it.
public enum SigningIdentityObstacle: String, Sendable, Hashable, CaseIterable {
    /// The account has registered it already.
    case exists = "signing_identity_exists"
    /// Another account has.
    case taken = "signing_identity_taken"
    /// Another account had this key, and has revoked it.
    case revoked = "signing_identity_revoked"
    /// The account has as many as it may have.
    case tooMany = "too_many_signing_identities"

    /// The obstacle, if there is one.
    ///
    /// A key that somebody revoked may be known to others, so nobody else may take it up; its owner may. A name is not known to others by
    /// being revoked: it may move from one account to another.
    ///
    /// - Parameters:
    ///   - earlier: every registration of the same key or name.
    ///   - active: identities of the account that are not revoked.
    public init?(_ kind: SigningIdentityKind, earlier: [(isOwn: Bool, isRevoked: Bool)], active: Int) {
        if let one = earlier.first(where: { !$0.isRevoked }) {
            self = one.isOwn ? .exists : .taken
        } else if kind == .key, earlier.contains(where: { !$0.isOwn }) {
            self = .revoked
        } else if active >= SigningIdentityTerms.activeMax {
            self = .tooMany
        } else {
            return nil
        }
    }

    /// The obstacle in words, with the remedy.
    public var message: String {
        switch self {
        case .exists: "You have registered this already."
        case .taken: "Another account has registered this. A name can be registered once it is revoked there; in place of a key make a new one."
        case .revoked: "This key was revoked by another account, and nobody else can register it; make a new one."
        case .tooMany: "An account has at most \(SigningIdentityTerms.activeMax) signing identities; revoke one first."
        }
    }
}
