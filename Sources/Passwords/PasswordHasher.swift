import CSodium
import Dispatch
import Synchronization

/// Turns passwords into hashes that may be stored, and checks passwords against them: Argon2id by libsodium.
///
/// Each call costs memory and time on purpose, so calls run one after the other on a thread of their own, and callers beyond
/// ``waitingMax`` are refused: a flood of sign-ins must not take the machine's memory.
public final class PasswordHasher: Sendable {
    /// What a hash costs.
    public struct Cost: Sendable, Hashable {
        let operations: UInt64
        let memoryBytes: Int

        /// 2 passes over 64 MiB, about 0.1 s.
        ///
        /// Source: libsodium, `crypto_pwhash_OPSLIMIT_INTERACTIVE` and `_MEMLIMIT_INTERACTIVE`; more than the least that
        /// OWASP's Password Storage Cheat Sheet asks of Argon2id (2 passes over 19 MiB).
        public static let interactive = Cost(operations: 2, memoryBytes: 64 << 20)

        /// The least that libsodium takes; for tests, never for real passwords.
        public static let least = Cost(operations: 1, memoryBytes: 8192)
    }

    /// Chosen: half a minute of work; a longer queue only keeps people waiting.
    public static let waitingMax = 256
    /// The longest password that is hashed, in bytes of UTF-8; more is refused, because it only costs time.
    public static let passwordBytesMax = 1024

    private let cost: Cost
    private let queue = DispatchQueue(label: "archipelago.passwords")
    private let waiting = Mutex(0)

    /// A hasher that makes new hashes at a cost; it checks hashes of any cost.
    ///
    /// - Throws: ``PasswordError/unavailable`` when libsodium cannot be started.
    public init(cost: Cost = .interactive) throws {
        guard sodium_init() >= 0 else { throw PasswordError.unavailable }
        self.cost = cost
    }

    /// A hash with salt and cost in it, in the PHC string format: `$argon2id$v=19$m=65536,t=2,p=1$…`.
    ///
    /// - Throws: ``PasswordError``: `tooLong`, `busy`, or `unavailable` when there is not enough memory.
    public func hash(_ password: String) async throws -> String {
        let cost = cost
        return try await work(password) { bytes in
            var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
            // Safety: `text` has the crypto_pwhash_STRBYTES bytes that the call writes; it reads exactly `bytes.count` bytes.
            let result = crypto_pwhash_str(&text, bytes, UInt64(bytes.count), cost.operations, cost.memoryBytes)
            guard result == 0 else { throw PasswordError.unavailable }
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// Whether a hash was made from this password; the comparison takes the same time wherever they differ.
    ///
    /// - Throws: ``PasswordError``: `tooLong`, `busy`.
    public func matches(_ password: String, hash: String) async throws -> Bool {
        try await work(password) { bytes in
            // Safety: `hash` is passed as a zero-ended copy that lives for the call; the call reads exactly `bytes.count` bytes.
            crypto_pwhash_str_verify(hash, bytes, UInt64(bytes.count)) == 0
        }
    }

    /// Whether a hash was made at another cost than this hasher's, so that it should be made anew when the password is at hand.
    public func isOutdated(hash: String) -> Bool {
        // Safety: `hash` is passed as a zero-ended copy that lives for the call.
        crypto_pwhash_str_needs_rehash(hash, cost.operations, cost.memoryBytes) != 0
    }

    private func work<Value: Sendable>(_ password: String, _ body: @escaping @Sendable ([CChar]) throws -> Value) async throws -> Value {
        let bytes = password.utf8.map(CChar.init(bitPattern:))
        guard bytes.count <= Self.passwordBytesMax else { throw PasswordError.tooLong }
        let isFree = waiting.withLock { waiting in
            guard waiting < Self.waitingMax else { return false }
            waiting += 1
            return true
        }
        guard isFree else { throw PasswordError.busy }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(bytes) }) }
        }
    }
}

/// Why a password could not be hashed or checked.
public enum PasswordError: String, Error, Sendable, Hashable {
    /// It has more than ``PasswordHasher/passwordBytesMax`` bytes.
    case tooLong = "too_long"
    /// Too many others wait.
    case busy
    /// Not enough memory, or libsodium does not start.
    case unavailable
}
