import Domain
import IslandLink
import JSON
public import Storage

/// Islands as their owners register and see them.
public struct Islands: Sendable {
    private let database: any Database
    private let surroundings: Surroundings

    /// The use cases over a database.
    public init(database: any Database, surroundings: Surroundings) {
        self.database = database
        self.surroundings = surroundings
    }

    /// Registers an Island and returns it with its token, which is shown this once; only its hash is stored.
    public func register(name: String, by principal: Principal) async throws -> (island: IslandRow, token: String) {
        try principal.require(.write)
        guard (1...Self.nameLengthMax).contains(name.unicodeScalars.count) else {
            throw ServiceError.invalid([Problem("/name", "must be 1 to \(Self.nameLengthMax) characters")])
        }
        let token = surroundings.newSecret(prefix: "it_")
        let id = surroundings.newIdentifier()
        let now = surroundings.now()
        let island = try await database.write { writer -> IslandRow in
            try writer.insertIsland(id: id, ownerID: principal.accountID, name: name, tokenHash: Accounts.hash(token), at: now.milliseconds)
            try writer.audit("island.register", "island/\(id)", by: principal.accountID, at: now, after: ["name": .string(name)])
            guard let row = try writer.island(id: id) else { throw StorageError(.unexpectedShape, "the new Island is missing") }
            return row
        }
        return (island, token)
    }

    private static let nameLengthMax = 100

    /// The asker's Islands; for administrators everybody's.
    public func list(page: Page, for principal: Principal) async throws -> Listing<IslandRow> {
        try principal.require(.read)
        let owner = principal.scopes.contains(.admin) ? nil : principal.accountID
        return try await database.read { reader in
            let found = try reader.islands(ownerID: owner, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    /// An Island, for its owner and administrators.
    public func island(_ id: String, for principal: Principal) async throws -> IslandRow {
        try principal.require(.read)
        guard let row = try await database.read({ try $0.island(id: id) }),
            row.ownerID == principal.accountID || principal.scopes.contains(.admin)
        else { throw ServiceError.notFound("Island \(id)") }
        return row
    }

    /// Changes of an Island's karma, newest first, for its owner and administrators.
    public func karma(of id: String, page: Page, for principal: Principal) async throws -> Listing<KarmaEventRow> {
        _ = try await island(id, for: principal)
        return try await database.read { reader in
            let found = try reader.karmaEvents(islandID: id, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    /// Notes that an Island takes no new jobs, or takes them again; the caller tells its connection.
    public func setDrained(_ drained: Bool, _ id: String, by principal: Principal) async throws -> IslandRow {
        try principal.require(.write)
        _ = try await island(id, for: principal)
        let now = surroundings.now()
        try await database.write { writer in
            try writer.setIslandDrained(drained, id: id)
            try writer.audit(
                drained ? "island.drain" : "island.resume", "island/\(id)", by: principal.accountID, at: now, after: ["drained": .bool(drained)])
        }
        return try await island(id, for: principal)
    }

    /// The Island that holds a token.
    ///
    /// - Throws: `unauthenticated` (`invalid_island_token`) when no Island does.
    public func authenticate(token: String) async throws -> IslandRow {
        let hash = Accounts.hash(token)
        guard let row = try await database.read({ try $0.island(tokenHash: hash) }) else {
            throw ServiceError(
                .unauthenticated, code: "invalid_island_token",
                "The Island's token is not known; register the Island again with 'archipelago island register'.")
        }
        return row
    }
}
