/// Reads inside one consistent view of the database.
///
/// Statements are written in the SQL that SQLite and PostgreSQL share, with `?` for each argument.
public protocol SQLReader {
    /// The words in which this database differs from others.
    var dialect: Dialect { get }

    /// Where the records are that are too large for a row.
    var recordFolder: RecordFolder { get }

    /// Runs a statement that answers rows.
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]
}

/// Reads and changes inside one transaction.
public protocol SQLWriter: SQLReader {
    /// Runs a statement that changes rows and returns how many it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Inserts one row into a table that numbers its rows, and returns its number; cheaper than `RETURNING`, which makes SQLite keep a table.
    func insertNumbered(_ sql: String, _ arguments: [SQLValue]) throws -> Int
}

extension SQLReader {
    /// The first row of the answer, or `nil` when there is none.
    func first(_ sql: String, _ arguments: [SQLValue]) throws -> SQLRow? { try query(sql, arguments).first }

    /// The single number of an answer such as `SELECT count(*) AS n`.
    func count(_ sql: String, _ arguments: [SQLValue]) throws -> Int { try first(sql, arguments)?.int("n") ?? 0 }
}

/// The state of a coordinator: one SQL port, several drivers.
public protocol Database: Sendable {
    /// Runs `body` on a consistent view; never on Swift's cooperative threads, because it blocks.
    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> Value) async throws -> Value

    /// Runs `body` in a transaction and returns once its changes are on disk.
    ///
    /// When `body` throws, nothing of it is kept and the error is thrown here. Several callers may share one commit; each
    /// keeps its own all-or-nothing. Bodies run one after the other, in the order of the calls, and each sees what those before it changed.
    /// `body` must not wait for anything, and may run more than once: only the last time counts.
    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value

    /// Where the records are that are too large for a row.
    var recordFolder: RecordFolder { get }

    /// Waits for the writes under way and closes the files or connections. Later calls throw.
    func close() async
}
