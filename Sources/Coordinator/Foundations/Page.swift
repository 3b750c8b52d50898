/// Which part of a list is wanted.
public struct Page: Sendable, Hashable {
    /// Rows at most, 1–100.
    public let limit: Int
    /// Rows left out before, at least 0.
    public let offset: Int

    /// The most rows a caller gets at once.
    public static let limitMax = 100
    /// The most rows that can be left out before. Chosen: beyond any list; a larger number is a mistake.
    public static let offsetMax = 1_000_000_000
    /// Rows when the caller does not say.
    public static let limitDefault = 20

    /// A part of a list; values outside the ranges are moved into them.
    public init(limit: Int = limitDefault, offset: Int = 0) {
        self.limit = min(max(1, limit), Self.limitMax)
        self.offset = min(max(0, offset), Self.offsetMax)
    }
}

/// A part of a list and the size of the whole.
public struct Listing<Element: Sendable>: Sendable {
    /// The rows of the page.
    public let rows: [Element]
    /// Rows of the whole list.
    public let total: Int
    /// The page.
    public let page: Page
}
