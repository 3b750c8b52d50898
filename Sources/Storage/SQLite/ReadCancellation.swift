import GRDB
import GRDBSQLite
import Synchronization

/// Whether the task of a read was cancelled.
///
/// SQLite's interrupt, which GRDB calls, ends what runs and is forgotten when nothing does: one that comes between two statements
/// would let a long one go on to its end. So SQLite also looks here while it works.
final class ReadCancellation: Sendable {
    private let flag = Atomic(false)
    /// Chosen: instructions of SQLite between two looks, about a tenth of a millisecond.
    private static let instructionsBetweenLooks: CInt = 10_000

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() { flag.store(true, ordering: .relaxed) }

    /// Runs `body`; a statement in it ends with `SQLITE_INTERRUPT` once this is cancelled.
    func watching<Value>(_ connection: GRDB.Database, _ body: () throws -> Value) rethrows -> Value {
        // Safety: this object outlives the handler, which is taken away before it is let go.
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_progress_handler(
            connection.sqliteConnection, Self.instructionsBetweenLooks,
            { context in context.map { Unmanaged<ReadCancellation>.fromOpaque($0).takeUnretainedValue().isCancelled } == true ? 1 : 0 }, context)
        defer {
            sqlite3_progress_handler(connection.sqliteConnection, 0, nil, nil)
            withExtendedLifetime(self) {}
        }
        return try body()
    }
}
