import Foundation
import GRDB

/// The embedded database: one SQLite file in WAL mode, every commit on disk before it is acknowledged.
///
/// Reads run side by side on GRDB's reader pool. Writes are gathered by ``GroupCommitQueue``: those that wait while one
/// commit is on its way to disk share the next one.
public final class SQLiteDatabase: Database {
    private let pool: DatabasePool
    private let writes: GroupCommitQueue
    public let recordFolder: RecordFolder

    /// Opens the file, makes it if there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - path: a file in a folder that exists; SQLite keeps `-wal` and `-shm` files beside it, and large records are in a folder `records` there.
    ///   - crashPoints: for the crash harness.
    /// - Throws: ``StorageError``: `newerSchema`, `busy`, or `unavailable` when the file is no database or cannot be opened.
    public convenience init(path: String, crashPoints: CrashPoints? = nil) throws {
        try self.init(path: path, crashPoints: crashPoints, migrations: Migration.all)
    }

    /// - Parameter migrations: the first of all; fewer make a database as an earlier version left it.
    init(path: String, crashPoints: CrashPoints? = nil, migrations: [Migration]) throws {
        recordFolder = try RecordFolder(path: URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("records").path)
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
        configuration.maximumReaderCount = Self.readersMax
        configuration.prepareDatabase { connection in
            try connection.execute(sql: "PRAGMA foreign_keys = ON")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL when it switches to WAL, which would lose acknowledged commits with the power.
            try pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA synchronous = FULL")
                try $0.execute(sql: "PRAGMA wal_autocheckpoint = \(Self.checkpointPages)")
            }
            try pool.write { [recordFolder] in try Migration.runMissing(in: SQLiteConnection($0, recordFolder), dialect: .sqlite, of: migrations) }
        } catch {
            throw StorageError(sqlite: error)
        }
        writes = GroupCommitQueue(pool: pool, recordFolder: recordFolder, crashPoints: crashPoints)
    }

    /// Chosen: another process that holds the file longer than this is an operator's mistake.
    private static let busyTimeoutSeconds = 5.0
    /// Chosen: 256 MB. Busy pages are copied into the file once in so much log, while every write waits, and a start after a crash reads so much
    /// at most, in 0.4 s.
    private static let checkpointPages = 65_536
    /// Chosen: two cores serve four readers without waiting.
    private static let readersMax = 4

    public func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Value) async throws -> Value {
        let cancellation = ReadCancellation()
        do {
            return try await withTaskCancellationHandler {
                try await pool.read { [recordFolder] connection in
                    try cancellation.watching(connection) { try body(SQLiteConnection(connection, recordFolder, cancellation)) }
                }
            } onCancel: {
                cancellation.cancel()
            }
        } catch {
            throw StorageError.translated(error)
        }
    }

    public func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value {
        try await writes.run(body)
    }

    public func close() async { await writes.close() }
}

extension StorageError {
    /// GRDB's error in the port's words; errors of the caller's own body pass unchanged through ``translated(_:)``.
    init(sqlite error: any Error) {
        guard let error = error as? DatabaseError else {
            self = (error as? StorageError) ?? StorageError(.failed, "\(error)")
            return
        }
        switch (error.extendedResultCode, error.resultCode) {
        case (.SQLITE_CONSTRAINT_UNIQUE, _), (.SQLITE_CONSTRAINT_PRIMARYKEY, _): self.init(.alreadyExists, error.message ?? "")
        case (_, .SQLITE_CONSTRAINT): self.init(.constraint, error.message ?? "")
        case (_, .SQLITE_BUSY), (_, .SQLITE_LOCKED): self.init(.busy, error.message ?? "")
        case (_, .SQLITE_FULL), (_, .SQLITE_IOERR), (_, .SQLITE_CORRUPT), (_, .SQLITE_NOTADB), (_, .SQLITE_CANTOPEN),
            (_, .SQLITE_READONLY):
            self.init(.unavailable, error.message ?? "")
        default: self.init(.failed, error.message ?? "")
        }
    }

    static func translated(_ error: any Error) -> any Error {
        error is DatabaseError ? StorageError(sqlite: error) : error
    }
}
