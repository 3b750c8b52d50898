import Foundation
import TestSupport
import Testing

@testable import Storage

/// A database in a folder of its own, and how to open it anew. One case per adapter; the suite below runs on each.
struct TestDatabase: Sendable, CustomTestStringConvertible {
    let name: String
    let open: @Sendable (_ folder: String) throws -> any Database
    var testDescription: String { name }

    static let all = [TestDatabase(name: "SQLite") { try SQLiteDatabase(path: $0 + "/test.sqlite") }]
}

/// Runs `body` with a new folder, which is removed afterwards.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = try makeTemporaryFolder("archipelago-storage")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

extension TestDatabase {
    /// Runs `body` with an empty database.
    func fresh<Value>(_ body: (any Database) async throws -> Value) async throws -> Value {
        try await withFolder { folder in
            let database = try open(folder)
            let value = try await body(database)
            await database.close()
            return value
        }
    }
}

/// The code of the ``StorageError`` that `body` throws, or what else it did.
func storageCode(_ body: () async throws -> some Sendable) async -> String {
    do {
        _ = try await body()
        return "no error"
    } catch let error as StorageError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}

/// What every ``Database`` promises, whatever it stands on.
@Suite(.timeLimit(.minutes(5))) struct DatabaseContract {
    struct Refused: Error, Equatable {
        var number: Int
    }

    static func account(_ id: String) -> AccountRow {
        AccountRow(id: id, name: "name of \(id)", email: nil, passwordHash: nil, standing: "community", roles: "", createdAt: 7)
    }

    @Test(arguments: TestDatabase.all)
    func whatIsWrittenIsRead(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.insert(Self.account("a")) }
            #expect(try await database.read { try $0.account(id: "a") } == Self.account("a"))
            #expect(try await database.read { try $0.account(id: "b") } == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWriteReturnsWhatItsBodyReturnsAlsoNothing(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            #expect(try await database.write { _ in 42 } == 42)
            #expect(try await database.write { _ -> Int? in nil } == nil)
            try await database.write { _ in }
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWriteThatThrowsLeavesNothingBehind(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            await #expect(throws: Refused(number: 1)) {
                try await database.write { writer in
                    try writer.insert(Self.account("a"))
                    throw Refused(number: 1)
                }
            }
            let stored = try await database.read { try $0.account(id: "a") }
            #expect(stored == nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWriteSeesItsOwnChangesAndReadersDoNotBeforeItIsOver(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { writer in
                try writer.insert(Self.account("a"))
                #expect(try writer.account(id: "a") != nil)
            }
            #expect(try await database.read { try $0.account(id: "a") } != nil)
        }
    }

    @Test(arguments: TestDatabase.all)
    func twoHundredWritesAtOnceAllSucceed(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await database.write { writer in
                            try writer.insert(Self.account("a\(number)"))
                            return number
                        }
                    }
                }
                let answered = try await group.reduce(into: Set<Int>()) { $0.insert($1) }
                #expect(answered == Set(0..<200))
            }
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM accounts", []) } == 200)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aWriteThatThrowsDoesNotUndoItsNeighbours(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            let failed = try await withThrowingTaskGroup(of: Int?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do {
                            try await database.write { writer in
                                try writer.insert(Self.account("a\(number)"))
                                if number % 7 == 3 { throw Refused(number: number) }
                                // The same key again: the database itself refuses.
                                if number % 7 == 5 { try writer.insert(Self.account("a\(number)")) }
                            }
                            return nil
                        } catch {
                            return number
                        }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { if let number = $1 { $0.insert(number) } }
            }
            let expected = Set((0..<200).filter { [3, 5].contains($0 % 7) })
            #expect(failed == expected)
            let stored = try await database.read { try $0.query("SELECT id FROM accounts", []).map { try $0.text("id") } }
            #expect(Set(stored) == Set((0..<200).filter { !expected.contains($0) }.map { "a\($0)" }))
        }
    }

    @Test(arguments: TestDatabase.all)
    func writesHappenOneAfterTheOther(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { _ = try $0.execute("CREATE TABLE counters (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)", []) }
            try await database.write { _ = try $0.execute("INSERT INTO counters VALUES (1, 0)", []) }
            let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await database.write { writer in
                            // Read, then write: lost updates would show as repeated numbers.
                            let n = try writer.count("SELECT n FROM counters WHERE id = 1", []) + 1
                            try writer.execute("UPDATE counters SET n = ? WHERE id = 1", [.integer(n)])
                            return n
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(numbers.sorted() == Array(1...200))
        }
    }

    @Test(arguments: TestDatabase.all)
    func writesOfOneCallerKeepTheirOrder(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            for number in 0..<50 {
                try await database.write { try $0.insert(Self.account(String(UnicodeScalar(UInt8(65 + number % 26))) + "\(number)")) }
            }
            let order = try await database.read { try $0.query("SELECT id FROM accounts ORDER BY rowid", []).map { try $0.text("id").dropFirst() } }
            #expect(order.compactMap { Int($0) } == Array(0..<50))
        }
    }

    @Test(arguments: TestDatabase.all)
    func aReaderHasOneConsistentView(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<60 {
                        // Two rows at a time: a torn view would count an odd number.
                        try await database.write { writer in
                            try writer.insert(Self.account("a\(number)"))
                            try writer.insert(Self.account("b\(number)"))
                        }
                    }
                }
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<60 {
                            let (first, second) = try await database.read { reader in
                                (
                                    try reader.count("SELECT count(*) AS n FROM accounts", []),
                                    try reader.count("SELECT count(*) AS n FROM accounts", [])
                                )
                            }
                            #expect(first == second)
                            #expect(first.isMultiple(of: 2))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: TestDatabase.all)
    func everythingIsThereAfterClosingAndOpening(adapter: TestDatabase) async throws {
        try await withFolder { folder in
            let first = try adapter.open(folder)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 { group.addTask { try await first.write { try $0.insert(Self.account("a\(number)")) } } }
                try await group.waitForAll()
            }
            await first.close()
            let second = try adapter.open(folder)
            #expect(try await second.read { try $0.count("SELECT count(*) AS n FROM accounts", []) } == 20)
            await second.close()
        }
    }

    @Test(arguments: TestDatabase.all)
    func aClosedDatabaseRefusesEverything(adapter: TestDatabase) async throws {
        try await withFolder { folder in
            let database = try adapter.open(folder)
            await database.close()
            #expect(await storageCode { try await database.write { try $0.insert(Self.account("a")) } } == "unavailable")
            #expect(await storageCode { try await database.read { try $0.account(id: "a") } } != "no error")
        }
    }

    @Test(arguments: TestDatabase.all)
    func constraintsHaveTheirCodes(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.insert(Self.account("a")) }
            #expect(await storageCode { try await database.write { try $0.insert(Self.account("a")) } } == "already_exists")
            let take = { @Sendable (slug: String, owner: String) in
                await storageCode { try await database.write { try $0.insertWorkload(slug: slug, ownerID: owner, at: 1) } }
            }
            #expect(await take("my-cargo", "nobody") == "constraint")
            #expect(await take("my-cargo", "a") == "no error")
            #expect(await take("my-cargo", "a") == "already_exists")
            let noName = { @Sendable in
                await storageCode {
                    try await database.write {
                        try $0.execute("INSERT INTO accounts (id, name, standing, created_at) VALUES ('x', NULL, 'y', 1)", [])
                    }
                }
            }
            #expect(await noName() == "constraint")
            #expect(await storageCode { try await database.read { try $0.query("SELECT nonsense FROM nowhere", []) } } == "failed")
        }
    }

    @Test(arguments: TestDatabase.all)
    func valuesComeBackAsTheyWentIn(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { _ = try $0.execute("CREATE TABLE every (n BIGINT, t TEXT, b BLOB)", []) }
            let rows: [(Int?, String?, [UInt8])] = [
                (0, "", []), (Int.max, "a'b\"c;--", [0]), (Int.min, "äöü 🚢 \u{301}", Array(0...255)), (nil, nil, [1]),
                (-1, "line\nline\t\u{1}", [255]),
            ]
            for (number, text, bytes) in rows {
                try await database.write { writer in
                    _ = try writer.execute("INSERT INTO every VALUES (?, ?, ?)", [.optional(number), .optional(text), .blob(bytes)])
                }
            }
            let found = try await database.read { try $0.query("SELECT n, t, b FROM every", []) }
            for (row, (number, text, bytes)) in zip(found, rows) {
                #expect(try row.optionalInt("n") == number)
                #expect(try row.optionalText("t") == text)
                #expect(try row.blob("b") == bytes)
            }
            #expect(found.count == rows.count)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aRowOfAnotherShapeIsAnError(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            let rows = try await database.read { try $0.query("SELECT 1 AS n, 'x' AS t, NULL AS empty", []) }
            #expect(throws: StorageError.self) { try rows[0].text("n") }
            #expect(throws: StorageError.self) { try rows[0].int("t") }
            #expect(throws: StorageError.self) { try rows[0].int("empty") }
            #expect(throws: StorageError.self) { try rows[0].blob("t") }
            #expect(throws: StorageError.self) { try rows[0].int("missing") }
            #expect(try rows[0].flag("n"))
        }
    }

    @Test(arguments: TestDatabase.all)
    func executeSaysHowManyRowsItChanged(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { writer in
                for id in ["a", "b", "c"] { try writer.insert(Self.account(id)) }
                #expect(try writer.execute("UPDATE accounts SET name = 'x' WHERE id <> 'a'", []) == 2)
                #expect(try writer.execute("UPDATE accounts SET name = 'x' WHERE id = 'z'", []) == 0)
            }
        }
    }

    /// A prepared statement is used again, also after it failed in the middle.
    @Test(arguments: TestDatabase.all)
    func aStatementThatFailedWorksTheNextTime(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            for id in ["a", "b"] {
                try await database.write { try $0.insert(Self.account(id)) }
                let again = await storageCode { try await database.write { try $0.insert(Self.account(id)) } }
                #expect(again == "already_exists")
            }
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM accounts", []) } == 2)
        }
    }

    /// What an earlier call bound is not left for a call that forgets it.
    @Test(arguments: TestDatabase.all, [[], ["a"], ["a", "b", "c"]] as [[SQLValue]])
    func asManyArgumentsAsMarks(adapter: TestDatabase, arguments: [SQLValue]) async throws {
        try await adapter.fresh { database in
            let sql = "SELECT id FROM accounts WHERE id = ? OR name = ?"
            let before = try await database.read { try $0.query(sql, ["a", "b"]).count }
            let wrong = await storageCode { try await database.read { try $0.query(sql, arguments).count } }
            let after = try await database.read { try $0.query(sql, ["a", "b"]).count }
            #expect(before == 0)
            #expect(wrong == "failed")
            #expect(after == 0)
        }
    }

    /// Columns are found by name in any order, and again.
    @Test(arguments: TestDatabase.all)
    func columnsAreFoundInAnyOrder(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            let rows = try await database.read { try $0.query("SELECT 1 AS a, 2 AS b, 3 AS c UNION ALL SELECT 4, 5, 6 ORDER BY a", []) }
            for (row, add) in zip(rows, [0, 3]) {
                for (name, number) in [("c", 3), ("a", 1), ("b", 2), ("b", 2), ("c", 3)] { #expect(try row.int(name) == number + add) }
                #expect(throws: StorageError.self) { try row.int("d") }
            }
        }
    }

    /// A read whose task is cancelled ends, says so, and leaves a connection that the next one can use.
    @Test(arguments: TestDatabase.all)
    func aCancelledReadIsCancelled(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            for _ in 0..<8 {
                let (started, start) = AsyncStream.makeStream(of: Void.self)
                let reading = Task {
                    try await database.read { reader in
                        start.finish()
                        return try reader.count(
                            """
                            WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000000000)
                            SELECT count(*) AS n FROM numbers
                            """, [])
                    }
                }
                for await _ in started {}
                reading.cancel()
                await #expect(throws: CancellationError.self) { try await reading.value }
            }
            let count = try await database.read { try $0.count("SELECT count(*) AS n FROM accounts", []) }
            #expect(count == 0)
        }
    }
}
