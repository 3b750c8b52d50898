/// The text of one statement for each number of rows that it takes at once.
///
/// A statement is kept prepared under its text, and what it costs beside its rows is paid once for all of them.
struct RowStatements: Sendable {
    /// Chosen: rows of one statement at most; more of them save little, and each number of rows is a statement that is kept.
    static let rowsMax = 8

    private let texts: [String]

    /// A statement around a list.
    ///
    /// - Parameters:
    ///   - row: what is said once for each row.
    ///   - separator: what stands between two rows.
    init(_ start: String = "", each row: String, separator: String = ", ", end: String = "") {
        texts = (1...Self.rowsMax).map { start + Array(repeating: row, count: $0).joined(separator: separator) + end }
    }

    /// Hands rows on in their order, as many at once as a statement takes, each time with its text.
    func forEach<Row>(of rows: [Row], _ body: (String, ArraySlice<Row>) throws -> Void) rethrows {
        var rest = rows[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.rowsMax)
            try body(texts[some.count - 1], some)
            rest = rest.dropFirst(some.count)
        }
    }
}
