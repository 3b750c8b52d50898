import Domain
public import JSON
import Storage

/// A Consumer's name for one request, so that sending it again does nothing again.
///
/// Source: the header field `Idempotency-Key` of the IETF draft draft-ietf-httpapi-idempotency-key-header.
public struct IdempotencyKey: Sendable, Hashable {
    /// The key as it was sent.
    let name: String
    /// A hash of what was asked for under it.
    let requestHash: String

    /// How long a key is known at least. Source: DESIGN §4.8 wants a day; chosen: another one for clients that are off over a day.
    public static let keptFor: Duration = .seconds(2 * 24 * 3600)

    /// A key and the request that it stands for.
    ///
    /// - Throws: `invalid` for a key that is not 1 to 255 visible characters of ASCII.
    public init(_ name: String, request: JSONObject) throws {
        guard (1...255).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ServiceError.invalid([Problem("/idempotency_key", "must be 1 to 255 visible characters of ASCII without spaces")])
        }
        self.name = name
        // The same request, however its client orders the members.
        requestHash = Accounts.hash(JSONValue.object(request).withSortedMembers.text)
    }

    /// Remembers what the key was used for.
    func remember(_ subjectID: String, of accountID: String, at now: Timestamp, in writer: any SQLWriter) throws {
        try writer.insertIdempotencyKey(name, accountID: accountID, requestHash: requestHash, subjectID: subjectID, at: now.milliseconds)
    }

    /// What the key was used for by an account; `nil` if for nothing yet.
    ///
    /// - Throws: `invalid` (`idempotency_key_reused`) when it was used for another request.
    func subject(of accountID: String, in reader: any SQLReader) throws -> String? {
        guard let known = try reader.idempotencyKey(name, accountID: accountID) else { return nil }
        guard known.requestHash == requestHash else {
            throw ServiceError(
                .invalid, code: "idempotency_key_reused", "This Idempotency-Key was used for another request; use a new key for a new request.",
                details: [Problem("/idempotency_key", "was used for another request")])
        }
        return known.subjectID
    }
}
