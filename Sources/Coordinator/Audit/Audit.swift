import Domain
public import Storage

/// The log of every change: who, what, before, after. It is only ever added to.
///
/// Not in it: jobs and their frames, whose transcript and ledger are their own record, and what scanners find, which stands with the scan.
public struct Audit: Sendable {
    private let database: any Database

    /// The audit log of a database.
    public init(database: any Database) { self.database = database }

    private static let pageLength = 1000

    /// Entries that fit a filter, newest first; for administrators.
    public func list(_ filter: AuditFilter, page: Page, for principal: Principal) async throws -> Listing<AuditRow> {
        try principal.require(.admin)
        return try await database.read { reader in
            let found = try reader.auditRows(filter, limit: page.limit, offset: page.offset)
            return Listing(rows: found.rows, total: found.total, page: page)
        }
    }

    /// What a walk along the whole chain found.
    public struct Verification: Sendable, Hashable {
        /// Entries that were checked.
        public let entries: Int
        /// The hash of the newest entry: who wrote it down elsewhere can later tell whether entries were cut off the end.
        public let head: String
        /// The number of the first entry that does not fit; `nil` when all fit.
        public let brokenAt: Int?
        /// What is wrong there; `nil` when all fit.
        public let fault: String?
    }

    /// Walks along the whole chain; for administrators.
    public func verify(for principal: Principal) async throws -> Verification {
        try principal.require(.admin)
        var last: AuditRow?
        while true {
            let from = last?.number ?? 0
            let rows = try await database.read { try $0.auditRows(after: from, limit: Self.pageLength) }
            for row in rows {
                if let fault = AuditChain.fault(of: row, after: last) {
                    return Verification(entries: last?.number ?? 0, head: last?.hash ?? AuditChain.origin, brokenAt: row.number, fault: fault)
                }
                last = row
            }
            if rows.count < Self.pageLength {
                return Verification(entries: last?.number ?? 0, head: last?.hash ?? AuditChain.origin, brokenAt: nil, fault: nil)
            }
        }
    }
}
