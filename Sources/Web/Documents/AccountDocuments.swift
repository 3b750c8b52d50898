import Coordinator
import Domain
import JSON
import Storage

extension Account {
    /// The account as administrators see it.
    var json: JSONValue { .object(members) }

    /// The account as its owner sees it, with its credits.
    func json(_ wallet: Wallet) -> JSONValue {
        var object = members
        object["credits"] = .int(wallet.credits)
        object["credits_held"] = .int(wallet.held)
        return .object(object)
    }

    private var members: JSONObject {
        [
            // The SDKs insist on a text; accounts that only have keys have no address.
            "id": .string(id), "email": .string(email ?? ""), "name": .string(name), "standing": .string(standing.rawValue),
            "verified": .bool(isVerified), "roles": .array(roles.map(\.rawValue).sorted().map(JSONValue.string)),
            "created_at": .string(createdAt.description),
        ]
    }
}

extension LedgerLineRow {
    /// One line of a statement.
    var json: JSONValue {
        [
            "id": .int(transferID), "at": time(at), "kind": .string(kind), "job_id": .optional(jobID), "amount": .int(amount),
            "balance": .int(balance), "note": .string(note),
        ]
    }
}

extension Ledger.Verification {
    /// What a check of all books found.
    var json: JSONValue {
        [
            "balanced": .bool(faults.isEmpty), "transfers": .int(transfers), "credits_issued": .int(issued), "credits_held": .int(held),
            "faults": .array(faults.map(JSONValue.string)),
        ]
    }
}

extension APIKeyRow {
    /// The key as its owner sees it, without the key itself.
    var json: JSONValue { .object(members) }

    /// The answer to making a key: its description as `data` with the key beside it, shown this once.
    ///
    /// The JavaScript SDK takes `data` off and then looks for `data` and `key` in what is left, so they stand inside it again.
    func json(secret: String) -> JSONValue {
        var data = members
        data["data"] = .object(members)
        data["key"] = .string(secret)
        return ["data": .object(data), "key": .string(secret)]
    }

    private var members: JSONObject {
        [
            "id": .string(id), "name": .string(name), "prefix": .string(prefix),
            "scopes": .array(scopes.split(separator: " ").map { .string(String($0)) }), "created_at": time(createdAt),
            "last_used_at": time(lastUsedAt), "expires_at": time(expiresAt),
        ]
    }
}

extension PublisherIdentities.Identity {
    /// What is known of a publisher, and what the proof under way asks for.
    var json: JSONValue {
        let challenge: JSONValue =
            row.challengeToken.map {
                [
                    "domain": .optional(row.challengeDomain), "token": .string($0), "url": .optional(challengeURL),
                    "created_at": time(row.challengeAt),
                ]
            } ?? .null
        return [
            "standing": .string(account.standing.rawValue), "verified": .bool(account.isVerified), "method": .optional(row.method),
            "domain": .optional(row.domain), "evidence": .optional(row.evidence), "verified_at": time(row.verifiedAt), "challenge": challenge,
        ]
    }
}

extension AuditRow {
    /// One change as administrators see it; `before` and `after` as they were stored.
    var json: JSONValue {
        func value(_ text: String) -> JSONValue { (try? JSONValue(parsing: text)) ?? .string(text) }  // a text that was tampered with
        return [
            "number": .int(number), "at": time(at), "actor": .string(actorID), "action": .string(action), "subject": .string(subject),
            "before": value(before), "after": value(after), "previous_hash": .string(previousHash), "hash": .string(hash),
        ]
    }
}

extension Audit.Verification {
    /// What a walk along the chain found.
    var json: JSONValue {
        [
            "intact": .bool(brokenAt == nil), "entries": .int(entries), "head": .string(head), "broken_at": .optional(brokenAt),
            "message": .string(fault ?? "Every entry follows the one before it."),
        ]
    }
}
