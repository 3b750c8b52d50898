/// The few words in which SQLite and PostgreSQL differ; migrations name them in braces, for example `{identity}`.
public struct Dialect: Sendable {
    /// The type of a whole-number primary key that the database assigns, growing.
    let identity: String
    /// The type of bytes.
    let bytes: String
    /// What follows a table whose primary key is its order on disk.
    let clustered: String
    /// Makes the full-text index `registry_search` with the columns slug, name, tags, category, description, keyed by `rowid`.
    let searchTable: String
    /// Selects the `rowid` of every row of `registry_search` that fits the search text of ``searchText(_:)``, its one argument.
    let searchMatches: String
    /// What a better match has less of, inside ``searchMatches``. Chosen weights: who names a Cargo means it; a description says much.
    let searchRank: String

    static let sqlite = Dialect(
        identity: "INTEGER PRIMARY KEY AUTOINCREMENT", bytes: "BLOB", clustered: " WITHOUT ROWID",
        searchTable: """
            CREATE VIRTUAL TABLE registry_search USING fts5 (
                slug, name, tags, category, description, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')
            """, searchMatches: "SELECT rowid FROM registry_search WHERE registry_search MATCH ?",
        searchRank: "bm25(registry_search, 10.0, 10.0, 5.0, 3.0, 1.0)")

    /// A migration's text in this dialect.
    func render(_ sql: String) -> String {
        var text = sql
        let words = [("{identity}", identity), ("{bytes}", bytes), ("{clustered}", clustered), ("{search_table}", searchTable)]
        for (name, word) in words { text = text.split(separator: name, omittingEmptySubsequences: false).joined(separator: word) }
        return text
    }

    /// Words at most; more only cost time.
    static let searchWordsMax = 16

    /// What people typed, as the full-text index takes it: every word must be there, the last one may be the beginning of a word, and no
    /// character has a meaning of its own. `nil` when nothing in it can be found, such as punctuation alone.
    ///
    /// - Parameter columns: words that the named columns hold in any case; they only make the matches fewer, so whoever asks still has to
    ///   compare exactly.
    func searchText(_ typed: String, columns: [(name: String, words: String)] = []) -> String? {
        let words = typed.split { $0.isWhitespace || $0 == "\0" }.filter { Self.hasWord($0) }
        guard !words.isEmpty else { return nil }
        let text = words.prefix(Self.searchWordsMax).map { Self.phrase($0) }.joined(separator: " ") + "*"
        let narrowed = columns.filter { Self.hasWord($0.words[...]) }
        return narrowed.isEmpty ? text : "(\(text))" + narrowed.map { " AND \($0.name) : \(Self.phrase($0.words[...]))" }.joined()
    }

    private static func hasWord(_ text: Substring) -> Bool { text.contains { $0.isLetter || $0.isNumber } }

    private static func phrase(_ text: Substring) -> String {
        "\"" + text.split { $0 == "\"" || $0 == "\0" }.joined(separator: " ") + "\""
    }
}
