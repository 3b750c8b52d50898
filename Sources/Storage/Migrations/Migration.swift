/// One numbered step of the schema. Steps are only ever added: each must work with the code before and after it.
struct Migration: Sendable {
    /// 1 for the first; stored in the database once it ran.
    let number: Int
    /// One statement each, in the dialect's braces.
    let statements: [String]

    static let all = [
        foundation, accounts, registry, scans, ledger, jobs, openJobs, log, signing, revocations, clock, largeRecords, jobLevels, recordProgress,
    ]

    /// Runs the steps that the database has not seen, inside the caller's transaction.
    ///
    /// - Throws: ``StorageError`` `newerSchema` when the database has steps that this program does not know.
    static func runMissing(in writer: any SQLWriter, dialect: Dialect, of all: [Migration] = all) throws {
        try writer.execute("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)", [])
        let done = Set(try writer.query("SELECT number FROM schema_migrations", []).map { try $0.int("number") })
        let known = all.map(\.number).max() ?? 0
        if let newest = done.max(), newest > known {
            throw StorageError(.newerSchema, "the database is at schema \(newest), this program knows \(known); run the newer program")
        }
        for migration in all where !done.contains(migration.number) {
            for statement in migration.statements { try writer.execute(dialect.render(statement), []) }
            try writer.execute("INSERT INTO schema_migrations (number) VALUES (?)", [.integer(migration.number)])
        }
    }
}
