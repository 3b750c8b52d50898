/// The few words in which SQLite and PostgreSQL differ; migrations name them in braces, for example `{identity}`.
struct Dialect: Sendable {
    /// The type of a whole-number primary key that the database assigns, growing.
    let identity: String
    /// The type of bytes.
    let bytes: String
    /// What follows a table whose primary key is its order on disk.
    let clustered: String

    static let sqlite = Dialect(identity: "INTEGER PRIMARY KEY AUTOINCREMENT", bytes: "BLOB", clustered: " WITHOUT ROWID")

    /// A migration's text in this dialect.
    func render(_ sql: String) -> String {
        var text = sql
        for (name, word) in [("{identity}", identity), ("{bytes}", bytes), ("{clustered}", clustered)] {
            text = text.split(separator: name, omittingEmptySubsequences: false).joined(separator: word)
        }
        return text
    }
}
