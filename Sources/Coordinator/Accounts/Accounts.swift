import Crypto
public import Domain
public import Storage

/// Accounts and their API keys.
public struct Accounts: Sendable {
    private let database: any Database
    private let surroundings: Surroundings

    /// Accounts of a database.
    public init(database: any Database, surroundings: Surroundings) {
        self.database = database
        self.surroundings = surroundings
    }

    /// Characters of a key that are kept to tell keys apart.
    private static let prefixLength = 10

    /// Whether nobody has an account yet.
    public var isEmpty: Bool {
        get async throws { try await database.read { try $0.countAccounts() == 0 } }
    }

    /// Opens an account and returns its id.
    public func open(name: String, standing: PublisherStanding) async throws -> String {
        let row = AccountRow(
            id: surroundings.newIdentifier(), name: name, standing: standing.rawValue, createdAt: surroundings.now().milliseconds)
        try await database.write { try $0.insert(row) }
        return row.id
    }

    /// Makes a key for an account and returns it; only its hash is stored, so it cannot be shown again.
    public func issueKey(accountID: String, name: String, scopes: Set<Scope>) async throws -> String {
        let key = surroundings.newSecret(prefix: "ak_")
        let row = APIKeyRow(
            id: surroundings.newIdentifier(), accountID: accountID, name: name, prefix: String(key.prefix(Self.prefixLength)),
            hash: Self.hash(key), scopes: scopes.map(\.rawValue).sorted().joined(separator: " "),
            createdAt: surroundings.now().milliseconds)
        try await database.write { try $0.insert(row) }
        return key
    }

    /// Who holds a key.
    ///
    /// - Throws: `unauthenticated` (`invalid_api_key`) when no live key is this one.
    public func authenticate(key: String) async throws -> Principal {
        let hash = Self.hash(key)
        guard let row = try await database.read({ try $0.liveAPIKey(hash: hash) }) else {
            throw ServiceError(.unauthenticated, code: "invalid_api_key", "The API key is not known; check it or make a new one.")
        }
        let scopes = row.scopes.split(separator: " ").compactMap { Scope(rawValue: String($0)) }
        return Principal(accountID: row.accountID, scopes: Set(scopes))
    }

    /// SHA-256 in hexadecimal. A key has 160 random bits, so a fast hash is enough; equality is found by index, and what
    /// its timing could tell is the hash's prefix, never the key's.
    static func hash(_ secret: String) -> String { Hexadecimal.text(SHA256.hash(data: Array(secret.utf8))) }
}
