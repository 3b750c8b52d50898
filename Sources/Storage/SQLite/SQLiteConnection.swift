import GRDB
import GRDBSQLite

/// A connection as the port sees it; lives only inside one read or transaction.
///
/// GRDB keeps connections and prepared statements; arguments and rows pass between them and SQLite's own interface directly,
/// which takes a third of the time that GRDB's general types take.
struct SQLiteConnection: SQLWriter {
    var dialect: Dialect { .sqlite }

    private let connection: GRDB.Database
    private let cancellation: ReadCancellation?
    let recordFolder: RecordFolder

    init(_ connection: GRDB.Database, _ recordFolder: RecordFolder, _ cancellation: ReadCancellation? = nil) {
        self.connection = connection
        self.recordFolder = recordFolder
        self.cancellation = cancellation
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        let statement = try connection.cachedStatement(sql: sql)
        let handle = statement.sqliteStatement
        let columns = SQLColumns(statement.columnNames)
        var rows: [SQLRow] = []
        try run(statement, arguments) {
            let values = (0..<sqlite3_column_count(handle)).map { Self.value(handle, $0) }
            rows.append(SQLRow(columns: columns, values: values))
        }
        return rows
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try run(try connection.cachedStatement(sql: sql), arguments) {}
        return Int(sqlite3_changes(connection.sqliteConnection))
    }

    func insertNumbered(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try run(try connection.cachedStatement(sql: sql), arguments) {}
        return Int(connection.lastInsertedRowID)
    }

    /// Runs `body` so that nothing of it is kept when it throws; the transaction around it goes on.
    ///
    /// - Throws: what `body` throws. If the connection is then no longer in a transaction, SQLite rolled back all of it.
    func savepoint(_ body: () throws -> Void) throws {
        _ = try execute("SAVEPOINT one_write", [])
        do {
            try body()
        } catch {
            if connection.isInsideTransaction {
                _ = try execute("ROLLBACK TO one_write", [])
                _ = try execute("RELEASE one_write", [])
            }
            throw error
        }
        _ = try execute("RELEASE one_write", [])
    }

    private func run(_ statement: Statement, _ arguments: [SQLValue], onRow: () -> Void) throws {
        if cancellation?.isCancelled == true { throw CancellationError() }
        let handle = statement.sqliteStatement
        guard sqlite3_bind_parameter_count(handle) == arguments.count else {
            throw StorageError(.failed, "\(arguments.count) arguments for: \(statement.sql)")
        }
        defer {
            // It only says again how the last step went.
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for (index, argument) in arguments.enumerated() {
            guard Self.bind(argument, handle, CInt(index + 1)) == SQLITE_OK else { throw error(statement) }
        }
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: onRow()
            case SQLITE_DONE: return
            // A read whose task was cancelled, by GRDB's interrupt or by our own look.
            case SQLITE_INTERRUPT: throw CancellationError()
            default: throw error(statement)
            }
        }
    }

    private func error(_ statement: Statement) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection.sqliteConnection)), message: connection.lastErrorMessage,
            sql: statement.sql)
    }

    /// SQLite makes its own copy of what is bound.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private static func bind(_ argument: SQLValue, _ handle: SQLiteStatement, _ index: CInt) -> CInt {
        switch argument {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let number): return sqlite3_bind_int64(handle, index, Int64(number))
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(handle, index, $0.baseAddress, UInt64($0.count), copied, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            // Without an address SQLite would bind null.
            if bytes.isEmpty { return sqlite3_bind_zeroblob(handle, index, 0) }
            return bytes.withUnsafeBytes { sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), copied) }
        }
    }

    private static func value(_ handle: SQLiteStatement, _ column: CInt) -> SQLValue {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(handle, column)))
        case SQLITE_FLOAT: return .integer(Int(sqlite3_column_double(handle, column)))
        case SQLITE_TEXT:
            let text = UnsafeBufferPointer(start: sqlite3_column_text(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
            return .text(String(decoding: text, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = UnsafeRawBufferPointer(start: sqlite3_column_blob(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
            return .blob(Array(bytes))
        default: return .null
        }
    }
}
