import Crypto
import JSON
import Storage

/// The chain of the audit log: each entry's hash covers the entry and the hash before it, so that no entry can be changed,
/// taken out or put in without all later hashes changing.
enum AuditChain {
    /// What the first entry has in place of a hash before it.
    static let origin = String(repeating: "0", count: 64)

    /// SHA-256 in hexadecimal over the compact JSON array
    /// `[previous hash, number, milliseconds, actor, action, subject, before, after]`; `before` and `after` are strings of JSON text.
    static func hash(of row: AuditRow) -> String {
        let members: [JSONValue] = [
            .string(row.previousHash), .int(row.number), .int(row.at), .string(row.actorID), .string(row.action), .string(row.subject),
            .string(row.before), .string(row.after),
        ]
        return Hexadecimal.text(SHA256.hash(data: JSONValue.array(members).bytes))
    }

    /// The row that follows another one (`nil` for the first).
    static func next(
        after last: AuditRow?, at: Timestamp, actorID: String, action: String, subject: String, before: JSONValue, after: JSONValue
    ) -> AuditRow {
        func row(hash: String) -> AuditRow {
            AuditRow(
                number: (last?.number ?? 0) + 1, at: at.milliseconds, actorID: actorID, action: action, subject: subject, before: before.text,
                after: after.text, previousHash: last?.hash ?? origin, hash: hash)
        }
        return row(hash: Self.hash(of: row(hash: "")))
    }

    /// What is wrong with a row that stands after another one, or `nil`.
    static func fault(of row: AuditRow, after last: AuditRow?) -> String? {
        if row.number != (last?.number ?? 0) + 1 { return "entry \((last?.number ?? 0) + 1) is missing" }
        if row.previousHash != last?.hash ?? origin { return "entry \(row.number) does not follow the entry before it" }
        if row.hash != hash(of: row) { return "entry \(row.number) was changed after it was written" }
        return nil
    }
}

extension SQLWriter {
    /// Writes down a change in the transaction that makes it.
    ///
    /// - Parameters:
    ///   - action: what was done, for example `submission.approve`.
    ///   - subject: to what, for example `submission/7`.
    ///   - before: what was there; never a secret.
    ///   - after: what is there now; never a secret.
    func audit(
        _ action: String, _ subject: String, by actorID: String, at now: Timestamp, before: JSONValue = .null, after: JSONValue = .null
    ) throws {
        try insert(
            AuditChain.next(
                after: try newestAudit(), at: now, actorID: actorID, action: action, subject: subject, before: before, after: after))
    }
}
