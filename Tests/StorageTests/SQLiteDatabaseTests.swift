import Foundation
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct SQLiteDatabaseTests {
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
