import Synchronization

/// A value that goes into or comes out of a database, in the types that SQLite and PostgreSQL share.
public enum SQLValue: Sendable, Hashable {
    case null
    /// 64 bits, signed.
    case integer(Int)
    /// UTF-8.
    case text(String)
    case blob([UInt8])
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(nilLiteral: ()) { self = .null }

    /// A text, or null for `nil`.
    public static func optional(_ value: String?) -> SQLValue { value.map(SQLValue.text) ?? .null }
    /// An integer, or null for `nil`.
    public static func optional(_ value: Int?) -> SQLValue { value.map(SQLValue.integer) ?? .null }
    /// A truth value as 0 or 1.
    public static func flag(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }
}

/// The columns of an answer, shared by its rows.
final class SQLColumns: Sendable {
    private let names: [String]
    /// Where the next look begins: rows are mostly read in the order of their columns, which makes a look one comparison.
    private let expected = Atomic(0)

    /// - Precondition: no two have one name.
    init(_ names: [String]) {
        assert(Set(names).count == names.count, "two columns of an answer have one name: \(names)")
        self.names = names
    }

    /// Where a column stands.
    func index(of name: String) -> Int? {
        let expected = expected.load(ordering: .relaxed)
        let found = expected < names.count && names[expected] == name ? expected : names.firstIndex(of: name)
        guard let found else { return nil }
        self.expected.store(found + 1, ordering: .relaxed)
        return found
    }
}

/// One row of an answer; columns are named as in the statement.
public struct SQLRow: Sendable {
    private let columns: SQLColumns
    private let values: [SQLValue]

    /// A row of an adapter: as many names as values.
    init(columns: SQLColumns, values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    private func value(_ column: String) throws -> SQLValue {
        guard let index = columns.index(of: column) else { throw StorageError(.unexpectedShape, "the answer has no column \(column)") }
        return values[index]
    }

    private static func mismatch(_ column: String) -> StorageError {
        StorageError(.unexpectedShape, "column \(column) holds a value of another type")
    }

    /// A text that may be null. Throws ``StorageError`` `unexpectedShape` for another type, as do the accessors below.
    public func optionalText(_ column: String) throws -> String? {
        switch try value(column) {
        case .null: return nil
        case .text(let text): return text
        case .integer, .blob: throw Self.mismatch(column)
        }
    }

    /// An integer that may be null.
    public func optionalInt(_ column: String) throws -> Int? {
        switch try value(column) {
        case .null: return nil
        case .integer(let number): return number
        case .text, .blob: throw Self.mismatch(column)
        }
    }

    /// A text.
    public func text(_ column: String) throws -> String {
        guard let text = try optionalText(column) else { throw Self.mismatch(column) }
        return text
    }

    /// An integer.
    public func int(_ column: String) throws -> Int {
        guard let number = try optionalInt(column) else { throw Self.mismatch(column) }
        return number
    }

    /// A truth value stored as 0 or 1.
    public func flag(_ column: String) throws -> Bool { try int(column) != 0 }

    /// Bytes.
    public func blob(_ column: String) throws -> [UInt8] {
        guard case .blob(let bytes) = try value(column) else { throw Self.mismatch(column) }
        return bytes
    }
}
