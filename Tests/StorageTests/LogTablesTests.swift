import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(5))) struct LogTablesTests {
    private static func entry(_ number: Int, hash: String? = nil) -> LogEntryRow {
        LogEntryRow(number: number, leafHash: hash ?? "hash \(number)", body: [UInt8(number), 0, 255], integratedAt: 5, promise: [1, 2])
    }

    @Test(arguments: TestDatabase.all)
    func entriesAreFoundByPlaceHashAndDigest(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { writer in
                for number in 0..<4 { try writer.insert(Self.entry(number), digests: ["sha256:all", "sha256:\(number)"]) }
            }
            #expect(try await database.read { try $0.logEntry(number: 2) } == Self.entry(2))
            #expect(try await database.read { try $0.logEntry(number: 4) } == nil)
            #expect(try await database.read { try $0.logEntry(leafHash: "hash 3") } == Self.entry(3))
            #expect(try await database.read { try $0.logEntry(leafHash: "hash 4") } == nil)
            #expect(try await database.read { try $0.logEntries(from: 1, limit: 2) } == [Self.entry(1), Self.entry(2)])
            #expect(try await database.read { try $0.logLeafHashes(digest: "sha256:all", limit: 3) } == ["hash 0", "hash 1", "hash 2"])
            #expect(try await database.read { try $0.logLeafHashes(digest: "sha256:3", limit: 3) } == ["hash 3"])
            #expect(try await database.read { try $0.logLeafHashes(digest: "sha256:4", limit: 3) } == [])
        }
    }

    /// A place, and an entry, are taken once.
    @Test(arguments: TestDatabase.all)
    func nothingIsWrittenOver(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            try await database.write { try $0.insert(Self.entry(0), digests: ["sha256:0"]) }
            #expect(await storageCode { try await database.write { try $0.insert(Self.entry(0, hash: "other"), digests: []) } } == "already_exists")
            #expect(await storageCode { try await database.write { try $0.insert(Self.entry(1, hash: "hash 0"), digests: []) } } == "already_exists")
            let checkpoint = LogCheckpointRow(size: 1, note: "note", at: 5)
            try await database.write { try $0.insert(checkpoint) }
            #expect(await storageCode { try await database.write { try $0.insert(checkpoint) } } == "already_exists")
            let counts = try await database.read { try $0.logCounts() }
            #expect(counts == (0, 1, 1))
        }
    }

    @Test(arguments: TestDatabase.all)
    func tilesGrowAndCheckpointsFollow(adapter: TestDatabase) async throws {
        try await adapter.fresh { database in
            #expect(try await database.read { try $0.logTile(level: 0, number: 0) } == nil)
            #expect(try await database.read { try $0.newestLogCheckpoint() } == nil)
            for size in 0..<4 {
                try await database.write { writer in
                    try writer.putLogTile(level: 0, number: 0, hashes: Array(repeating: UInt8(size), count: size + 1))
                    try writer.insert(LogCheckpointRow(size: size, note: "note \(size)", at: size))
                }
            }
            try await database.write { try $0.putLogTile(level: 1, number: 0, hashes: [9]) }
            #expect(try await database.read { try $0.logTile(level: 0, number: 0) } == [3, 3, 3, 3])
            #expect(try await database.read { try $0.logTile(level: 1, number: 0) } == [9])
            #expect(try await database.read { try $0.newestLogCheckpoint() } == LogCheckpointRow(size: 3, note: "note 3", at: 3))
            #expect(try await database.read { try $0.logCheckpoint(size: 1) }?.note == "note 1")
            #expect(try await database.read { try $0.logCheckpoints(from: 1, limit: 2) }.map(\.size) == [1, 2])
        }
    }
}
