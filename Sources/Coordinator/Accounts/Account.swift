public import Domain
import Storage

/// An account as services and faces see it.
public struct Account: Sendable, Hashable {
    /// A UUIDv7.
    public let id: String
    /// Its name for people.
    public let name: String
    /// The address it signs in with; `nil` for an account that only has keys.
    public let email: String?
    /// What kind of publisher it is.
    public let standing: PublisherStanding
    /// What it may do for the network.
    public let roles: Set<Role>
    /// When it was opened.
    public let createdAt: Timestamp

    /// Whether the publisher's identity is known.
    public var isVerified: Bool { standing != .community }

    init(_ row: AccountRow) throws {
        guard let standing = PublisherStanding(rawValue: row.standing) else {
            throw StorageError(.unexpectedShape, "account \(row.id) has no known standing")
        }
        id = row.id
        name = row.name
        email = row.email
        self.standing = standing
        roles = Set(row.roles.split(separator: " ").compactMap { Role(rawValue: String($0)) })
        createdAt = Timestamp(milliseconds: row.createdAt)
    }

    /// Reads an account inside a transaction; throws `not_found` when there is none.
    static func find(_ id: String, in reader: any SQLReader) throws -> Account {
        guard let row = try reader.account(id: id) else { throw ServiceError.notFound("account \(id)") }
        return try Account(row)
    }
}

extension Set<Role> {
    /// As stored: names in alphabetical order parted by spaces.
    var stored: String { map(\.rawValue).sorted().joined(separator: " ") }
}
