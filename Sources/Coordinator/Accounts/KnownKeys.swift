import Domain
import Synchronization

/// Whose API keys were seen a moment ago, by their hashes: a busy Consumer's key is looked up once a second, not with every request.
///
/// What this process changes counts at once, since it makes this forget; what another one changes, within ``keptFor``.
final class KnownKeys: Sendable {
    /// Chosen: short enough for an operator who revokes a key by another process.
    static let keptFor: Duration = .seconds(1)
    /// Chosen: some megabytes; more keys are looked up anew.
    private static let keptMax = 10_000

    private struct Entry {
        let principal: Principal
        let until: Timestamp
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var generation = 0
    }

    private let state = Mutex(State())

    /// Who holds the key of a hash, if that was seen a moment ago.
    func principal(hash: String, at now: Timestamp) -> Principal? {
        state.withLock { state in state.entries[hash].flatMap { now < $0.until ? $0.principal : nil } }
    }

    /// What ``keep(_:hash:until:since:)`` needs; to be asked before the look into the database.
    var generation: Int { state.withLock(\.generation) }

    /// Keeps what was read, unless ``forgetAll()`` was called since the generation was asked for: then it may be old already.
    ///
    /// - Parameter end: when the key itself ends.
    func keep(_ principal: Principal, hash: String, at now: Timestamp, end: Timestamp?, since generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.entries.count >= Self.keptMax { state.entries = [:] }
            state.entries[hash] = Entry(principal: principal, until: min(now + Self.keptFor, end ?? now + Self.keptFor))
        }
    }

    /// A key was revoked, or an account's roles changed.
    func forgetAll() {
        state.withLock { state in
            state.entries = [:]
            state.generation += 1
        }
    }
}
