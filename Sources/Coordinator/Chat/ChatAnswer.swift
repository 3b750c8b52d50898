import JSON
public import Storage

/// An answer as it comes, token by token, of the length that was asked for: not every Cargo heeds `max_tokens`.
public struct ChatAnswer: Sendable {
    private let tokensMax: Int
    private var attempt: Int?
    private var tokens = 0

    /// An answer of which nothing has come.
    ///
    /// - Parameter tokensMax: the tokens wanted; `nil` for all.
    public init(tokensMax: Int?) { self.tokensMax = tokensMax ?? .max }

    /// Whether a token has come.
    public var hasTokens: Bool { attempt != nil }

    /// Whether a record is the first token of another attempt than those before it.
    public func begins(with record: RecordRow) -> Bool { record.kind == "token" && attempt != nil && attempt != record.attempt }

    /// What a record adds to the answer; `nil` for one that adds nothing.
    public mutating func piece(of record: RecordRow) -> String? {
        guard record.kind == "token" else { return nil }
        if attempt != record.attempt { (attempt, tokens) = (record.attempt, 0) }
        tokens += 1
        return tokens <= tokensMax ? (try? JSONValue(parsing: record.body))?["content"]?.string : nil
    }
}
