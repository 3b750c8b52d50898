/// The query of a request: only what was asked for, in the order asked.
struct Query {
    private var parts: [String] = []

    /// Adds a text; nothing for `nil`.
    mutating func add(_ name: String, _ value: String?) {
        if let value { parts.append("\(name.asPathPart)=\(value.asPathPart)") }
    }

    /// Adds a number; nothing for `nil`.
    mutating func add(_ name: String, _ value: Int?) { add(name, value.map(String.init)) }

    /// Adds `true` or `false`; nothing for `nil`.
    mutating func add(_ name: String, _ value: Bool?) { add(name, value.map { $0 ? "true" : "false" }) }

    /// Adds which part of a list is wanted.
    mutating func add(_ page: PageOptions) {
        add("limit", page.limit)
        add("offset", page.offset)
    }

    /// The query with its question mark; empty when nothing was asked for.
    var text: String { parts.isEmpty ? "" : "?" + parts.joined(separator: "&") }
}
