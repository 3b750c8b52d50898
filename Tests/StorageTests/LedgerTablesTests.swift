import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(5))) struct LedgerTablesTests {
    static func transfer(_ entries: [(String, Int)], kind: String = "grant", job: String? = nil) -> LedgerTransferRow {
        LedgerTransferRow(
            kind: kind, jobID: job, actorID: "a", note: "", at: 1, entries: entries.map { .init(account: $0.0, amount: $0.1) })
    }

    private static func balances(_ accounts: [String], _ database: any Database) async throws -> [Int] {
        try await database.read { reader in try accounts.map { try reader.ledgerBalance(account: $0) } }
    }

    /// New accounts and known ones, as many as a settlement has and more than one statement takes.
    @Test(arguments: TestDatabase.all, [1, 2, 4, 5, 8, 9, 17])
    func everyAccountOfATransferMovesAndSaysWhereItStands(adapter: TestDatabase, count: Int) async throws {
        try await adapter.fresh { database in
            let accounts = (0..<count).map { "wallet/\($0)" }
            let first = Self.transfer([("issued", -count)] + accounts.map { ($0, 1) })
            let second = Self.transfer([("issued", -2 * count)] + accounts.reversed().map { ($0, 2) })
            try await database.write { try $0.book(first) }
            try await database.write { try $0.book(second) }
            #expect(try await Self.balances(accounts, database) == Array(repeating: 3, count: count))
            #expect(try await Self.balances(["issued", "nobody"], database) == [-3 * count, 0])
            for account in accounts {
                let lines = try await database.read { try $0.ledgerLines(account: account, limit: 9, offset: 0) }
                #expect(lines.rows.map(\.amount) == [2, 1])
                #expect(lines.rows.map(\.balance) == [3, 1])
            }
            #expect(try await database.read { try $0.unbalancedTransfers(limit: 9) } == [])
            #expect(try await database.read { try $0.misstatedAccounts(limit: 9) } == [])
        }
    }

    /// The account that lacks credits may be known or new, and stand before or behind others.
    @Test(
        arguments: TestDatabase.all,
        [[("a", -4), ("b", 4)], [("b", 4), ("a", -4)], [("new", -1), ("a", 1)], [("a", 1), ("new", -1)], [("a", -3), ("b", 5), ("holds", -2)]])
    func aTransferThatAnAccountCannotPayChangesNothing(adapter: TestDatabase, entries: [(String, Int)]) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.book(Self.transfer([("a", 3), ("issued", -3)])) }
            #expect(await storageCode { try await database.write { try $0.book(Self.transfer(entries)) } } == "constraint")
            #expect(try await Self.balances(["a", "b", "new", "holds", "issued"], database) == [3, 0, 0, 0, -3])
            #expect(try await database.read { try $0.ledgerTotals().transfers } == 1)
            #expect(try await database.read { try $0.count("SELECT count(*) AS n FROM ledger_entries", []) } == 2)
            #expect(try await database.read { try $0.misstatedAccounts(limit: 9) } == [])
        }
    }

    @Test(arguments: TestDatabase.all)
    func anAccountMaySpendItsLastCredit(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.book(Self.transfer([("a", 3), ("issued", -3)])) }
            try await database.write { try $0.book(Self.transfer([("a", -3), ("b", 3)])) }
            #expect(try await Self.balances(["a", "b"], database) == [0, 3])
        }
    }

    @Test(arguments: TestDatabase.all)
    func aJobIsHeldForOnceAndTheSecondTimeMovesNothing(adapter: TestDatabase) async throws {
        try await TablesTests.stocked(adapter) { database, workload, submission in
            let hold = Self.transfer([("a", -1), ("holds", 1)], kind: "hold", job: "j")
            try await database.write { writer in
                try writer.insert(TablesTests.job("j", workload, submission))
                try writer.book(Self.transfer([("a", 3), ("issued", -3)]))
                try writer.book(hold)
            }
            #expect(await storageCode { try await database.write { try $0.book(hold) } } == "already_exists")
            #expect(try await Self.balances(["a", "holds"], database) == [2, 1])
        }
    }

    @Test(arguments: TestDatabase.all)
    func aTransferOfNothingIsKept(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.book(Self.transfer([])) }
            #expect(try await database.read { try $0.ledgerTotals().transfers } == 1)
        }
    }

    @Test(arguments: TestDatabase.all)
    func aRowsNumberIsTheOneThatItIsFoundUnder(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            let insert = { @Sendable (name: String) in
                try await database.write { writer in
                    try writer.insertNumbered(
                        "INSERT INTO ledger_transfers (kind, actor_id, note, at) VALUES (?, '', '', 0)", [.text(name)])
                }
            }
            let (first, second) = (try await insert("x"), try await insert("y"))
            #expect(second > first)
            let kind = try await database.read { try $0.first("SELECT kind FROM ledger_transfers WHERE id = ?", [.integer(second)])?.text("kind") }
            #expect(kind == "y")
        }
    }

    @Test(arguments: [0, 1, 7, 8, 9, 16, 20])
    func rowsGoInPortionsAndInTheirOrder(count: Int) {
        let statements = RowStatements("IN ", each: "?", separator: ",", end: ";")
        var (seen, texts): ([Int], [String]) = ([], [])
        statements.forEach(of: Array(0..<count)) { text, rows in
            #expect(text.filter { $0 == "?" }.count == rows.count)
            seen += rows
            texts.append(text)
        }
        #expect(seen == Array(0..<count))
        #expect(texts.count == (count + 7) / 8)
        #expect(count != 1 || texts == ["IN ?;"])
    }
}
