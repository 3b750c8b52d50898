import Synchronization

/// Authorization headers that a registry gave out or accepted, by registry, repository and kind of access.
final class TokenStore: Sendable {
    struct Key: Hashable, Sendable {
        let origin: Origin
        let repository: String
        let access: RegistryAccess
    }

    private struct Entry {
        let header: String
        let validUntil: Duration
    }

    /// Most headers kept, a count; the whole store is emptied at the bound. Chosen: one per repository in use.
    private static let entriesMax = 1024

    private let entries = Mutex<[Key: Entry]>([:])

    /// The header, if there is one that is still valid.
    func header(for key: Key, uptime: Duration) -> String? {
        entries.withLock { entries in
            guard let entry = entries[key], entry.validUntil > uptime else { return nil }
            return entry.header
        }
    }

    /// Keeps a header.
    func keep(_ header: String, for key: Key, until validUntil: Duration) {
        entries.withLock { entries in
            if entries.count >= Self.entriesMax { entries.removeAll() }
            entries[key] = Entry(header: header, validUntil: validUntil)
        }
    }

    /// Forgets a header that was refused.
    func forget(_ key: Key) {
        entries.withLock { _ = $0.removeValue(forKey: key) }
    }
}

/// What a request wants to do in a repository.
enum RegistryAccess: String, Hashable, Sendable {
    case pull = "pull"
    case push = "pull,push"
}
