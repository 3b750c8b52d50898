import Foundation
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(5))) struct SQLiteDatabaseTests {
    @Test func aPlaceForLargeRecordsThatIsNoFolderIsToldAtTheStart() async throws {
        try await withFolder { folder in
            try Data("not a folder".utf8).write(to: URL(fileURLWithPath: folder + "/records"))
            #expect(await storageCode { try SQLiteDatabase(path: folder + "/test.sqlite") } == "unavailable")
        }
    }

    @Test func aFileThatIsNoDatabaseIsRefusedWithAClearCode() async throws {
        try await withFolder { folder in
            try Data("This is a letter to my aunt, and longer than the header of a database would be. ".utf8 + Data(repeating: 65, count: 4096))
                .write(to: URL(filePath: folder + "/letter"))
            #expect(await storageCode { try SQLiteDatabase(path: folder + "/letter") } == "unavailable")
            let letter = try Data(contentsOf: URL(filePath: folder + "/letter"))
            #expect(letter.starts(with: Data("This is a letter".utf8)))
        }
    }

    @Test func aFolderThatIsNotThereIsUnavailable() async throws {
        try await withFolder { folder in
            #expect(await storageCode { try SQLiteDatabase(path: folder + "/no/such/folder/db") } == "unavailable")
            #expect(await storageCode { try SQLiteDatabase(path: folder) } == "unavailable")
        }
    }

    @Test func openingAgainChangesNothing() async throws {
        try await withFolder { folder in
            let schema = { @Sendable (reader: any SQLReader) in
                try reader.query("SELECT name || coalesce(sql, '') AS line FROM sqlite_master ORDER BY name", []).map { try $0.text("line") }
            }
            var schemas: [[String]] = []
            for _ in 0..<3 {
                let database = try SQLiteDatabase(path: folder + "/db")
                schemas.append(try await database.read { try schema($0) })
                #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM schema_migrations", []) } == Migration.all.count)
                await database.close()
            }
            #expect(schemas[0] == schemas[1] && schemas[1] == schemas[2])
            #expect(!schemas[0].isEmpty)
        }
    }

    @Test func aDatabaseOfANewerProgramIsRefusedAndLeftAlone() async throws {
        try await withFolder { folder in
            let database = try SQLiteDatabase(path: folder + "/db")
            let next = Migration.all.count + 1
            try await database.write { _ = try $0.execute("INSERT INTO schema_migrations (number) VALUES (?)", [.integer(next)]) }
            await database.close()
            #expect(await storageCode { try SQLiteDatabase(path: folder + "/db") } == "newer_schema")
            #expect(await storageCode { try SQLiteDatabase(path: folder + "/db") } == "newer_schema")
        }
    }

    /// A published Cargo, in columns that every schema has.
    private static let aCargo = [
        "INSERT INTO accounts (id, name, standing, created_at) VALUES ('a', 'a', 'community', 0)",
        "INSERT INTO workloads (id, slug, owner_id, created_at) VALUES (1, 'x', 'a', 0)",
        """
        INSERT INTO submissions (id, workload_id, publisher_id, state, fields, search_text, version, platforms, created_at, updated_at)
        VALUES (1, 1, 'a', 'published', '{}', '', 'v1.0.0', '', 0, 0)
        """,
    ]

    /// A job that ran when the program was changed for one with a ledger is in the queue or settled, and the books are right either way.
    @Test func jobsOfAVersionWithoutALedgerAreTakenOver() async throws {
        try await withFolder { folder in
            let before = try SQLiteDatabase(path: folder + "/db", migrations: Array(Migration.all.prefix(4)))
            try await before.write { writer in
                for statement in Self.aCargo
                    + [("waits", "pending", "NULL"), ("runs", "running", "NULL"), ("over", "completed", "5")].map({ id, state, end in
                        """
                        INSERT INTO jobs (id, workload_id, submission_id, consumer_id, state, attempt, failed_islands, input, priority, timeout_ms, records,
                            stored_up_to, frame_bytes, tokens, created_at, completed_at)
                        VALUES ('\(id)', 1, 1, 'a', '\(state)', 0, '', '{}', 50, 1, 0, 0, 0, 0, 0, \(end))
                        """
                    })
                { try writer.execute(statement, []) }
            }
            await before.close()
            let after = try SQLiteDatabase(path: folder + "/db")
            #expect(try await after.read { try $0.queuedJobs(after: 0, limit: 10) }.map(\.jobID) == ["waits"])
            #expect(try await after.read { try $0.misbookedJobs(limit: 10) } == [])
            #expect(try await after.read { try $0.job(id: "over") }?.keepUntil == 5 + 604_800_000)
            try await after.write { writer in
                guard var row = try writer.job(id: "runs") else { return }
                row.state = "completed"
                row.completedAt = 9
                try writer.update(row)
                try writer.book(LedgerTransferRow(kind: "settlement", jobID: "runs", actorID: "system", note: "", at: 9, entries: []))
            }
            #expect(try await after.read { try $0.misbookedJobs(limit: 10) } == [])
            await after.close()
        }
    }

    /// A job that ran when the program was changed for one whose records say how far it has come keeps its count and goes on from it.
    @Test func aRunningJobOfAVersionWhoseRecordsDoNotCountIsTakenOver() async throws {
        try await withFolder { folder in
            let before = try SQLiteDatabase(path: folder + "/db", migrations: Array(Migration.all.prefix(13)))
            try await before.write { writer in
                for statement in Self.aCargo + [
                    """
                    INSERT INTO jobs (id, workload_id, submission_id, consumer_id, state, attempt, failed_islands, input, priority, timeout_ms, records,
                        stored_up_to, frame_bytes, tokens, held, created_at, regions, retention_hours)
                    VALUES ('runs', 1, 1, 'a', 'running', 1, '', '{}', 50, 1, 2, 2, 20, 1, 0, 0, '', 168)
                    """,
                    "INSERT INTO records (job_id, seq, attempt, kind, body) VALUES ('runs', 1, 1, 'token', x'7B7D'), ('runs', 2, 1, 'x', x'7B7D')",
                ] { try writer.execute(statement, []) }
            }
            await before.close()
            let after = try SQLiteDatabase(path: folder + "/db")
            var job = try #require(try await after.read { try $0.job(id: "runs") })
            #expect((job.records, job.storedUpTo, job.frameBytes, job.tokens) == (2, 2, 20, 1))
            (job.records, job.storedUpTo, job.frameBytes, job.tokens) = (3, 3, 30, 2)
            try await after.write { [job] in try $0.insert([RecordRow(seq: 3, attempt: 1, kind: "token", body: Array("{}".utf8))], of: job) }
            #expect(try await after.read { try $0.job(id: "runs") } == job)
            await after.close()
        }
    }

    /// What is asked of jobs all the time is found in an index, however many jobs there are (sqlite.org/eqp.html).
    @Test(arguments: [
        ("SELECT id FROM jobs WHERE completed_at IS NULL AND state IN ('queued', 'running') ORDER BY id", "jobs_open (completed_at=?)"),
        ("SELECT sum(held) FROM jobs WHERE consumer_id = 'a' AND completed_at IS NULL", "jobs_open (completed_at=? AND consumer_id=?)"),
        (
            "SELECT input FROM jobs WHERE consumer_id = 'a' AND state = 'failed' AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 9",
            "jobs_over (consumer_id=? AND state=?)"
        ),
        (
            "SELECT input FROM jobs WHERE consumer_id = 'a' AND state = 'pending' AND completed_at IS NULL ORDER BY id DESC LIMIT 9",
            "jobs_open (completed_at=? AND consumer_id=?)"
        ),
        ("SELECT seq, tokens FROM records WHERE job_id = 'j' ORDER BY seq DESC LIMIT 1", "SEARCH records USING PRIMARY KEY (job_id=?)"),
    ])
    func jobsAreFoundByTheirIndexes(sql: String, index: String) async throws {
        try await withFolder { folder in
            let database = try SQLiteDatabase(path: folder + "/db")
            let plan = try await database.read { try $0.query("EXPLAIN QUERY PLAN " + sql, []).map { try $0.text("detail") } }
            #expect(plan.contains { $0.contains(index) }, "\(plan)")
            await database.close()
        }
    }

    @Test func migrationsAreNumberedFromOneWithoutGaps() {
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    }

    /// Acknowledged means on disk (DESIGN §6: WAL, `synchronous=FULL`); 2 is FULL, see sqlite.org/pragma.html.
    @Test func commitsAreOnDiskAndForeignKeysHold() async throws {
        try await withFolder { folder in
            let database = try SQLiteDatabase(path: folder + "/db")
            let setting = { @Sendable (name: String) in
                try await database.write { try $0.query("PRAGMA \(name)", []).first }
            }
            #expect(try await setting("synchronous")?.int("synchronous") == 2)
            #expect(try await setting("foreign_keys")?.int("foreign_keys") == 1)
            #expect(try await setting("journal_mode")?.text("journal_mode") == "wal")
            await database.close()
        }
    }

    @Test func theDialectFillsItsWordsIn() {
        let text = Dialect.sqlite.render("CREATE TABLE t (id {identity}, b {bytes}, {bytes}){clustered}")
        #expect(text == "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, b BLOB, BLOB) WITHOUT ROWID")
        #expect(Dialect.sqlite.render("nothing") == "nothing")
    }
}
